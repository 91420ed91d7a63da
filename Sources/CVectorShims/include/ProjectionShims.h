// Vector primitives used by the Projection kernels only. Included by CVectorShims.h.
#ifndef SWIFTLET_PROJECTIONSHIMS_H
#define SWIFTLET_PROJECTIONSHIMS_H

#endif
