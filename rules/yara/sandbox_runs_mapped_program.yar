rule sandbox_runs_mapped_program
{
    meta:
        id = "6f2a4a0e-0f0c-4f55-8a0e-5b9c2d3f7712"
        title = "Windows Sandbox configuration runs a command on a mapped folder"
        description = "A Windows Sandbox configuration maps a folder of the host and starts a command at logon: what runs there is out of sight of the host's protection."
        level = "high"
        techniques = "T1564.006"
        author = "Makyo"
        date = "2026-11-22"

    strings:
        $configuration = "<Configuration" ascii wide nocase
        $folder = /<HostFolder>[^<]{1,260}<\/HostFolder>/ ascii wide nocase
        $logon = "<LogonCommand>" ascii wide nocase
        $command = /<Command>[^<]{1,1024}<\/Command>/ ascii wide nocase

    condition:
        filesize < 64KB and
        $configuration in (0..1024) and $folder and $logon and $command
}
