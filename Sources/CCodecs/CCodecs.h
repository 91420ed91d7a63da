// System codecs and containers for replay: JPEG (libjpeg-turbo), PNG (libpng), XXH3 (xxHash),
// zstd, LZ4 frames, CRC-32 (zlib) for MCAP, SQLite for ROS 2 bags.
#include <stdio.h>
#include <lz4frame.h>
#include <png.h>
#include <sqlite3.h>
#include <turbojpeg.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>
