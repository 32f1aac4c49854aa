<#
Installs SpacetimeDB for the current user on Windows:

  iwr <where releases are>/install.ps1 -useb | iex
  & ([scriptblock]::Create((iwr <where releases are>/install.ps1 -useb))) -Yes -RootDir DIR -Version VERSION

A release repository publishes this script with the SHA-256 of each of its archives filled in. One archive is
downloaded, compared with that, and only then unpacked; the installer inside checks everything once more against
signed metadata before it installs. SPACETIME_DOWNLOAD_ROOT (or SPACETIME_UPDATE_RELEASES_URL) names a mirror: the
base URL of a copy of the repository, or a folder.
#>
param(
  [string]$RootDir = '',
  [string]$Version = '',
  [switch]$Yes,
  [switch]$NoModifyPath
)

$ErrorActionPreference = 'Stop'

# One line a release and platform, the newest release first: VERSION TARGET SHA256 GLIBC.
$KnownReleases = @'
@RELEASES@
'@
$PublishedAt = '@BASE@'

function Find-Target {
  if (-not [Environment]::Is64BitOperatingSystem) {
    throw 'there are no releases for 32-bit systems: install from source with pip instead'
  }
  'x86_64-pc-windows-msvc' # machines with an ARM processor run these programs as well
}

function Find-Release([string]$Target, [string]$Wanted) {
  if ($KnownReleases.StartsWith('@')) {
    throw 'this copy of install.ps1 knows no releases: take the one that a release repository publishes'
  }
  $rows = @($KnownReleases -split "`r?`n" | ForEach-Object { , ($_ -split ' ') } | Where-Object { $_[1] -eq $Target })
  if ($rows.Count -eq 0) { throw "there are no releases for ${Target}: install from source with pip instead" }
  foreach ($row in $rows) {
    if (($Wanted -and $row[0] -eq $Wanted) -or (-not $Wanted -and $row[0] -notmatch '-')) {
      return @{ Version = $row[0]; Hash = $row[2] }
    }
  }
  throw "there is no release $Wanted for ${Target}; there are: $(($rows | ForEach-Object { $_[0] }) -join ' ')"
}

function Find-Base {
  $named = @($env:SPACETIME_UPDATE_RELEASES_URL, $env:SPACETIME_DOWNLOAD_ROOT, $PublishedAt) |
    Where-Object { $_ } | Select-Object -First 1
  if (-not $named) { throw 'set SPACETIME_DOWNLOAD_ROOT to the base URL of a release repository' }
  ($named -split ',')[0].TrimEnd('/')
}

function Get-Archive([string]$Url, [string]$File) {
  try {
    if ($Url -match '^https?://') {
      [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
      $ProgressPreference = 'SilentlyContinue' # showing progress makes the download many times slower
      Invoke-WebRequest -Uri $Url -OutFile $File -UseBasicParsing
    } else {
      Copy-Item -LiteralPath ($Url -replace '^file:///', '') -Destination $File
    }
  } catch {
    throw "$Url could not be downloaded ($_): check the network, or let SPACETIME_DOWNLOAD_ROOT name a mirror"
  }
}

function Install-Spacetime {
  $target = Find-Target
  $release = Find-Release $target $Version
  $base = Find-Base
  $folder = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
  New-Item -ItemType Directory -Path $folder | Out-Null
  try {
    $name = "spacetime-$target.zip"
    $url = "$base/targets/$($release.Version)/$name"
    $archive = Join-Path $folder $name
    Write-Host 'Downloading installer...'
    Get-Archive $url $archive
    $found = (Get-FileHash -LiteralPath $archive -Algorithm SHA256).Hash.ToLowerInvariant()
    if ($found -ne $release.Hash) {
      throw "$url is not what was released (SHA-256 $found, expected $($release.Hash)): nothing was installed; try another mirror"
    }
    $unpacked = Join-Path $folder 'unpacked'
    Expand-Archive -LiteralPath $archive -DestinationPath $unpacked
    $options = @('--version', $release.Version, '--archive', $archive)
    if ($RootDir) { $options += @('--root-dir', $RootDir) }
    if ($Yes) { $options += '--yes' }
    if (-not $NoModifyPath) { $options += '--modify-path' }
    $before = @{ Applet = $env:SPACETIMEDB_UPDATE_MULTICALL_APPLET; Root = $env:SPACETIME_DOWNLOAD_ROOT }
    try {
      $env:SPACETIMEDB_UPDATE_MULTICALL_APPLET = 'spacetime-install'
      if (-not $env:SPACETIME_UPDATE_RELEASES_URL -and -not $env:SPACETIME_DOWNLOAD_ROOT) {
        $env:SPACETIME_DOWNLOAD_ROOT = $base
      }
      & (Join-Path $unpacked 'spacetimedb-update.exe') @options | Out-Host
      $code = $LASTEXITCODE
    } finally {
      $env:SPACETIMEDB_UPDATE_MULTICALL_APPLET = $before.Applet
      $env:SPACETIME_DOWNLOAD_ROOT = $before.Root
    }
    if ($code -ne 0) { throw "the installer ended with exit code $code" }
  } finally {
    Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
  }
}

Install-Spacetime
