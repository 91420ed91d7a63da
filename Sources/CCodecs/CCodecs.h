// System codecs for replay: JPEG (libjpeg-turbo), PNG (libpng), XXH3 (xxHash), zstd, lz4 frames,
// CRC-32 (zlib).
#include <stdio.h>
#include <png.h>
#include <turbojpeg.h>
#include <xxhash.h>
#include <zstd.h>
#include <lz4frame.h>
#include <zlib.h>
