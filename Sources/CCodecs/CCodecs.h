// System codecs for replay: JPEG (libjpeg-turbo), PNG (libpng), XXH3 (xxHash).
#include <stdio.h>
#include <png.h>
#include <turbojpeg.h>
#include <xxhash.h>
