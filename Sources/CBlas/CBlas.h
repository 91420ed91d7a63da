// OpenBLAS's CBLAS and LAPACKE. LAPACKE's complex types are not used and do not import well.
#define lapack_complex_float float
#define lapack_complex_double double
#include <cblas.h>
#include <lapacke.h>
