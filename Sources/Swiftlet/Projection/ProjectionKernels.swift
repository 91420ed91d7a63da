/// The projection kernels by instruction set: one enum switch per call, no fall-back, so a call for
/// a set always runs the code compiled for it. One extension per kernel file.
enum ProjectionKernels {}
