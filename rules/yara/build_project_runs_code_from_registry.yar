rule build_project_runs_code_from_registry
{
    meta:
        id = "e3a7d7a8-2d19-4b8e-8e35-9c1b6f0a5513"
        title = "MSBuild project compiles a task that reads the registry and loads code"
        description = "An MSBuild project carries its task as source text; the task reads a payload from the registry, or decrypts one, and loads it."
        level = "critical"
        techniques = "T1127.001, T1027.011, T1620"
        author = "Makyo"
        date = "2026-11-22"

    strings:
        $project = "<Project" ascii wide nocase
        $factory = /TaskFactory\s*=\s*["'](Roslyn)?CodeTaskFactory["']/ ascii wide nocase
        $code = "<Code" ascii wide nocase
        $registry1 = "Registry.GetValue" ascii wide
        $registry2 = "Registry.CurrentUser" ascii wide
        $registry3 = "Registry.LocalMachine" ascii wide
        $registry4 = "RegistryKey.OpenBaseKey" ascii wide
        $registry5 = "RegQueryValueEx" ascii wide
        $load1 = "Assembly.Load" ascii wide
        $load2 = "VirtualAlloc" ascii wide
        $load3 = "Marshal.Copy" ascii wide
        $load4 = "GetDelegateForFunctionPointer" ascii wide
        $load5 = "CreateDecryptor" ascii wide
        $load6 = "QueueUserAPC" ascii wide

    condition:
        filesize < 4MB and
        $project and $factory and $code and
        any of ($registry*) and any of ($load*)
}
