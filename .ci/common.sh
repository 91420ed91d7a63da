# Shared by ./test and ./demo: system packages.

# What building the package takes on Debian 12 and Ubuntu.
build_packages=(
  libopenblas-dev liblapacke-dev libturbojpeg0-dev libpng-dev libxxhash-dev libzstd-dev
  liblz4-dev zlib1g-dev libsqlite3-dev
)

# Installs those of the given packages that are missing; says what it does, asks nothing.
install_packages() {
  local package absent=()
  for package in "$@"; do
    # Ubuntu calls libturbojpeg0-dev libturbojpeg-dev.
    if [[ $package == libturbojpeg0-dev ]] && is_installed libturbojpeg-dev; then continue; fi
    is_installed "$package" || absent+=("$package")
  done
  ((${#absent[@]})) || return 0
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "missing packages: ${absent[*]}; install them as root" >&2
      return 1
    }
    as_root=(sudo -n)
  fi
  echo "installing with apt-get: ${absent[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  local index
  for index in "${!absent[@]}"; do
    if [[ ${absent[index]} == libturbojpeg0-dev ]] && ! is_available libturbojpeg0-dev; then
      absent[index]=libturbojpeg-dev
    fi
  done
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${absent[@]}"
}

is_installed() {
  [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == "install ok installed" ]]
}

is_available() { apt-cache show "$1" >/dev/null 2>&1; }

# The instruction sets in the output of `swiftlet env --json`, one a line.
isas_of_env() { tr -d ' \n' | sed 's/.*"instruction_sets":\[\([^]]*\)\].*/\1/' | tr -d '"' | tr ',' '\n'; }
