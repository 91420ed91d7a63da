// Vector primitives used by the Occupancy kernels only. Included by CVectorShims.h.
#ifndef SWIFTLET_OCCUPANCYSHIMS_H
#define SWIFTLET_OCCUPANCYSHIMS_H

#endif
