#!/usr/bin/env bash
# Builds the C libraries of the media engine as static archives, once, into a folder of the user's cache:
# FFmpeg 7.1.x, dav1d and lcms2 from Debian 13's signed source packages; x264, libaom, libwebp, libjpeg-turbo and zlib
# are the archives of this machine's -dev packages.
#
#   ffmpeg.sh            build, unless that was done
#   ffmpeg.sh --prefix   print the folder
#   ffmpeg.sh --env      print what cgo needs, as export lines
#
# RELEASE=1 makes a source that differs from sources.lock an error instead of a warning.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
suite=trixie
dev=(zlib1g-dev libx264-dev libwebp-dev libaom-dev libturbojpeg0-dev)

# The folder's name is made of what is known without a network, so a second build asks nobody.
key() {
  { cat ffmpeg.sh sources.lock; gcc -dumpfullversion; gcc -dumpmachine
    dpkg-query -W -f '${Package}=${Version}\n' "${dev[@]}" 2>/dev/null || true; } | sha256sum | cut -c1-16
}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/picora/ffmpeg

compare() { # the sources that went in against the ones we tested
  diff <(sort "$here/sources.lock") <(sort "$1/sources") >&2 && return
  [ -z "${RELEASE:-}" ] || { echo "ffmpeg: the sources differ from media/av/sources.lock" >&2; exit 1; }
  echo "ffmpeg: warning: the sources differ from media/av/sources.lock (Debian has an update)" >&2
}

case "${1:-}" in
  --prefix) echo "$cache/$(key)"; exit ;;
  --env) # the folder with its hash, never a link: Go's build cache does not look into archives, but it does see flags
    p=$cache/$(key)
    echo "export PKG_CONFIG_PATH='$p/lib/pkgconfig' CGO_CFLAGS='-O2 -I$p/include' CGO_LDFLAGS='-L$p/lib'"
    exit ;;
esac

../../.ci/need gcc make nasm meson ninja-build pkg-config dpkg-dev xz-utils "${dev[@]}"
prefix=$cache/$(key)
if [ -e "$prefix/sources" ]; then compare "$prefix"; exit; fi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock -n 9 || { echo "ffmpeg: another build is running, waiting …" >&2; flock 9; }
[ ! -e "$prefix/sources" ] || exit 0
rm -rf "$cache"/build.* # what killed builds left
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
began=$SECONDS
say() { printf 'ffmpeg: %4d s  %s\n' $((SECONDS - began)) "$*" >&2; }
quiet() { "$@" >"$work/log" 2>&1 9>&- || # what outlives a killed build must not keep its lock
  { tail -n 40 "$work/log" >&2; say "failed: $*"; exit 1; }; }
say "building the media libraries into $prefix (5 to 10 minutes, once)"

say "fetching the sources from Debian $suite"
uri() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1" | sort -u | sed -n 1p; }
main=${DEBIAN_MIRROR:-$(uri Debian)}
security=${DEBIAN_SECURITY_MIRROR:-$(uri Debian-Security)}
[ -n "$main" ] || { say "no Debian mirror in apt's sources; set DEBIAN_MIRROR"; exit 1; }
mkdir -p "$work"/apt/{lists/partial,cache/archives/partial} "$work/src"
signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
{ echo "deb-src $signed $main $suite main"
  [ -z "$security" ] || echo "deb-src $signed $security $suite-security main"; } >"$work/apt/list"
apt=(apt-get -qq -o Dir::State::Lists="$work/apt/lists" -o Dir::Etc::SourceList="$work/apt/list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
quiet "${apt[@]}" -o APT::Update::Error-Mode=any update
(cd "$work/src" && quiet "${apt[@]}" source --only-source ffmpeg dav1d lcms2) 9>&-
stage=$work/stage/picora # every path inside the libraries reads /picora, so no machine's path ends in the program
mkdir -p "$stage/lib/pkgconfig" "$stage/include"
(cd "$work/src" && sha256sum -- *.tar.[gx]z) >"$work/sources"
compare "$work"

export CFLAGS="-ffile-prefix-map=$work=." PKG_CONFIG_PATH=$stage/lib/pkgconfig
export CPATH=$stage/include LIBRARY_PATH=$stage/lib # not as flags: those are printed by avutil_configuration
relocate() { sed -i -E 's|^prefix=.*|prefix=${pcfiledir}/../..|; s|=/picora/|=${prefix}/|; s|(-[LI])'"$stage"'/|\1${prefix}/|g' "$stage"/lib/pkgconfig/*.pc; }
with_meson() { # name, options
  say "building $1"
  local tree; tree=$(echo "$work/src/$1"-*/)
  (cd "$tree" && quiet meson setup _b --prefix=/picora --libdir=lib --default-library=static --buildtype=release -Db_ndebug=true "${@:2}" &&
    quiet env DESTDIR="$work/stage" ninja -C _b install) 9>&-
  relocate
}
with_meson dav1d -Denable_tools=false -Denable_tests=false -Denable_examples=false
with_meson lcms2 -Djpeg=disabled -Dtiff=disabled -Dutils=false -Dfastfloat=false -Dthreaded=false

# The linker takes the first folder's archive, so they have to stand where no .so does.
system=/usr/lib/$(gcc -print-multiarch)
for l in x264 aom webp webpdemux webpmux sharpyuv turbojpeg z; do
  if [ -e "$system/lib$l.a" ]; then cp "$system/lib$l.a" "$stage/lib/"; fi # sharpyuv is a part of webp on Debian 12
done
cp -r /usr/include/webp /usr/include/turbojpeg.h "$stage/include/"

demuxer="mov matroska avi mpegts mpegps flv asf ogg mp3 wav w64 aiff caf flac aac ac3 eac3 amr h264 hevc m4v ivf
  gif apng ico image_png_pipe image_jpeg_pipe image_bmp_pipe image_tiff_pipe srt webvtt ass"
decoder="h264 hevc vp8 vp9 libdav1d mpeg4 msmpeg4v2 msmpeg4v3 mpeg1video mpeg2video h263 flv theora wmv1 wmv2 wmv3 vc1
  mjpeg prores dnxhd dvvideo ffv1 rawvideo png apng gif bmp tiff aac aac_latm mp3float mp2float ac3 eac3 dca flac alac
  vorbis opus amrnb amrwb wmav1 wmav2 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_f32le pcm_f32be
  pcm_f64le pcm_u8 pcm_s8 pcm_alaw pcm_mulaw pcm_dvd pcm_bluray adpcm_ms adpcm_ima_wav adpcm_ima_qt subrip ass ssa
  movtext webvtt speex gsm_ms"
encoder="libx264 aac mjpeg png gif libaom_av1 rawvideo pcm_s16le pcm_f32le flac webvtt"
muxer="hls mp4 mov ipod mpegts adts wav flac webvtt avif gif null"
parser="aac aac_latm ac3 amr av1 bmp dca dnxhd flac gif h263 h264 hevc mjpeg mpeg4video mpegaudio mpegvideo opus png vc1
  vorbis vp8 vp9"
bsf="aac_adtstoasc h264_mp4toannexb hevc_mp4toannexb extract_extradata h264_metadata hevc_metadata setts"
filter="scale format fps aresample aformat asetnsamples anull null thumbnail tile showwavespic loudnorm ebur128 volume
  volumedetect alimiter transpose rotate hflip vflip crop pad setsar setdar setpts asetpts yadif bwdif split asplit overlay select
  trim atrim pan amix concat tonemap colorspace silencedetect blackdetect cropdetect hstack vstack xstack palettegen
  paletteuse haldclut idet alphaextract alphamerge premultiply testsrc2 sine color anullsrc"
protocol="file" # the HLS muxer opens its segments by path; everything else is read and written through callbacks

say "configuring FFmpeg"
enable=()
for kind in demuxer decoder encoder muxer parser bsf filter protocol; do
  enable+=("--enable-$kind=$(echo ${!kind} | tr ' ' ,)")
done
cd "$work/src"/ffmpeg-7.1*/
quiet ./configure --prefix=/picora --disable-autodetect --disable-everything --disable-programs --disable-doc --disable-network \
  --disable-debug --disable-postproc --disable-iconv --disable-shared --enable-static --enable-pic --enable-gpl --enable-zlib \
  --enable-libx264 --enable-libdav1d --enable-libaom --pkg-config-flags=--static \
  --extra-cflags="-fstack-protector-strong -D_FORTIFY_SOURCE=2" "${enable[@]}"

# configure drops misspelt names without a word, and selects more than it was asked for.
enabled() { sed -n -E "s/^#define CONFIG_(.*)_${1^^} 1\$/\1/p" config_components.h | tr A-Z a-z | sort; }
for kind in demuxer decoder encoder muxer parser bsf filter protocol; do
  missing=$(comm -23 <(echo ${!kind} | tr ' ' '\n' | sort) <(enabled $kind))
  [ -z "$missing" ] || { say "no such $kind:" $missing; exit 1; }
done
for kind in demuxer protocol; do # what could open another file, or an address
  extra=$(comm -13 <(echo ${!kind} | tr ' ' '\n' | sort) <(enabled $kind))
  [ -z "$extra" ] || { say "unwanted $kind:" $extra; exit 1; }
done
if grep -E '^#define CONFIG_(A?MOVIE_FILTER|NETWORK|NONFREE|.*_INDEV) 1$' config.h config_components.h >&2; then exit 1; fi

say "building FFmpeg"
quiet make -j"$(nproc)"
quiet make install DESTDIR="$work/stage"
relocate
rm -rf "$work/stage/picora/share"
if grep -lrF "$work" "$stage" >&2; then say "a path of this machine is in the libraries"; exit 1; fi
sed -n 's/^#define FFMPEG_CONFIGURATION "\(.*\)"$/\1/p' config.h >"$stage/configuration"
cp "$work/sources" "$stage/sources" # last: it says that the folder is whole
mv "$stage" "$prefix"
say "done"
