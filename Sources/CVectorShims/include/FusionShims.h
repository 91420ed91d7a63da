// Vector primitives used by the Fusion kernels only. Included by CVectorShims.h.
#ifndef SWIFTLET_FUSIONSHIMS_H
#define SWIFTLET_FUSIONSHIMS_H

#endif
