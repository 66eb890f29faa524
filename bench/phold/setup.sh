#!/bin/sh
# Installs the peers that bench/phold/run.ts compares with (Debian; needs root for apt):
#   setup.sh                   g++, ns-3 (Debian's build, with logging on), SimPy 3, npm peers
#   setup.sh --ns3-optimized   also builds ns-3's core optimized, from Debian's source package
# Everything that is not a system package goes to node_modules/.phold of the project.
set -eu
cd "$(dirname "$0")"
peers=../../node_modules/.phold
mkdir -p "$peers"

apt-get update
apt-get install -y --no-install-recommends g++ libns3-dev python3-simpy3
echo '{ "name": "phold-peers", "private": true }' >"$peers/package.json"
(cd "$peers" && npm install --no-save simjs@2.0.3 @sinonjs/fake-timers@15.5.0)

if [ "${1:-}" = "--ns3-optimized" ]; then
  apt-get install -y --no-install-recommends cmake ninja-build dpkg-dev
  cd "$peers"
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mkdir -p source/lists/partial
  echo "deb-src http://deb.debian.org/debian $release main" >source/sources.list
  options="-o Dir::Etc::sourcelist=$PWD/source/sources.list -o Dir::Etc::sourceparts=-
    -o Dir::State::lists=$PWD/source/lists"
  # shellcheck disable=SC2086
  (apt-get $options update && cd source && apt-get $options source ns3)
  root=$(dirname "$(find source -maxdepth 3 -type f -name ns3)")
  (cd "$root" && python3 ./ns3 configure --build-profile=optimized --enable-modules=core &&
    python3 ./ns3 build core)
  mkdir -p ns-3
  ln -sfn "$PWD/$root/build/include" ns-3/include
  ln -sfn "$PWD/$root/build/lib" ns-3/lib
fi
