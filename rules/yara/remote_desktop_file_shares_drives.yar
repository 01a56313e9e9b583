rule remote_desktop_file_shares_drives
{
    meta:
        id = "1d0f7f9c-9a31-4f0c-9b6a-3a5d1f2c8814"
        title = "Remote desktop file shares all drives with a host outside"
        description = "A signed remote desktop file connects to a host outside and gives it all local drives: opened once, the other side reads them."
        level = "high"
        techniques = "T1566.001, T1204.002, T1021.001"
        author = "Makyo"
        date = "2026-11-22"

    strings:
        $address = /full address:s:[^\r\n]{3,255}/ ascii wide nocase
        $drives = "drivestoredirect:s:*" ascii wide nocase
        $signature = "signature:s:" ascii wide nocase
        $signscope = "signscope:s:" ascii wide nocase
        // Private addresses, and names without a dot.
        $inside1 = /full address:s:(10\.|127\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)/ ascii wide nocase
        $inside2 = /full address:s:[a-z0-9_-]+(:[0-9]+)?[\r\n]/ ascii nocase
        $inside3 = /full address:s:[a-z0-9_-]+(:[0-9]+)?[\r\n]/ wide nocase
        $inside4 = /full address:s:[a-z0-9._-]+\.(local|lan|internal|corp)(:[0-9]+)?[\r\n]/ ascii wide nocase

    condition:
        filesize < 64KB and
        $address and $drives and ($signature or $signscope) and
        not any of ($inside*)
}
