// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never resolve a benchmark framework.
let package = Package(
  name: "swiftlet-benchmarks",
  dependencies: [
    .package(name: "swiftlet", path: ".."),
    // Without its default trait, jemalloc: the malloc counts then read 0 and mean nothing.
    .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
  ],
  targets: [
    // The workloads of `swiftlet bench`, for comparisons between commits.
    .executableTarget(
      name: "Workloads",
      dependencies: [
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "SwiftletReplay", package: "swiftlet"),
        .product(name: "Swiftlet", package: "swiftlet"),
      ],
      path: "Benchmarks/Workloads",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ],
  swiftLanguageModes: [.v6]
)
