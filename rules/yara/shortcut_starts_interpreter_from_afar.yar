import "lnk"

rule shortcut_starts_interpreter_from_afar
{
    meta:
        id = "b0c3f6a2-6c55-4d1d-9d0a-0f6f5f3e7a11"
        title = "Shortcut starts an interpreter on something from afar or from a hidden stream"
        description = "A Windows shortcut starts MSBuild, a shell or a script host, and its arguments name a remote file or an alternate data stream."
        level = "high"
        techniques = "T1204.002, T1059, T1127.001, T1564.004"
        author = "Makyo"
        date = "2026-11-22"

    condition:
        lnk.is_lnk and
        (
            lnk.relative_path matches /(^|[\\\/])(msbuild|powershell|pwsh|cmd|mshta|wscript|cscript|rundll32|regsvr32)(\.exe)?$/i or
            lnk.local_base_path matches /(^|[\\\/])(msbuild|powershell|pwsh|cmd|mshta|wscript|cscript|rundll32|regsvr32)(\.exe)?$/i or
            lnk.cmd_line_args matches /(^|[\\\/ "&|])(msbuild|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32)(\.exe)?([ "]|$)/i
        ) and
        (
            // A share by UNC path, WebDAV ports included, or a web address.
            lnk.cmd_line_args matches /(^|[ "'=(])\\\\[a-z0-9][a-z0-9.@-]*\\/i or
            lnk.cmd_line_args matches /https?:\/\//i or
            // FILE.EXT:STREAM
            lnk.cmd_line_args matches /[a-z0-9_-]\.[a-z0-9]{1,5}:[a-z0-9_.-]+/i
        )
}
