// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The kernel targets are compiled once per instruction set. `SWIFTLET_TARGET_ARCH` overrides the
// host's architecture when cross-compiling (`SWIFTLET_TARGET_ARCH=aarch64 swift build --swift-sdk …`).
#if arch(x86_64)
  let hostArchitecture = "x86_64"
#else
  let hostArchitecture = "other"
#endif
let targetArchitecture =
  ProcessInfo.processInfo.environment["SWIFTLET_TARGET_ARCH"] ?? hostArchitecture
let isX86 = targetArchitecture == "x86_64"

/// Flags of a kernel target: the same in debug and release, so that debug kernels are as fast.
/// Cross-module optimisation is off because it inlines AVX-512 code into baseline callers.
func kernelSettings(_ clangFlags: [String]) -> [SwiftSetting] {
  let clang = clangFlags.flatMap { ["-Xcc", $0] }
  return [
    .unsafeFlags(
      ["-Ounchecked", "-wmo", "-num-threads", "1", "-disable-cmo"] + (isX86 ? clang : []))
  ]
}

let strict: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error)]

/// What only replay and the command line use: with `traits: []` `Swiftlet` fetches none of it.
let tools = TargetDependencyCondition.when(traits: ["Replay"])

let package = Package(
  name: "swiftlet",
  products: [
    .library(name: "Swiftlet", targets: ["Swiftlet"]),
    .library(name: "SwiftletReplay", targets: ["SwiftletReplay"]),
    // What the C library is linked from; `Sources/SwiftletC/Packaging/build` makes it.
    .library(name: "SwiftletC", type: .static, targets: ["SwiftletC"]),
    .executable(name: "swiftlet", targets: ["SwiftletCLI"]),
  ],
  traits: [
    .trait(name: "Replay", description: "Recordings, replay and the command line."),
    .default(enabledTraits: ["Replay"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    // Vector primitives that Swift's SIMD types lack or scalarise, and CPUID.
    .target(name: "CVectorShims"),
    // The worker pool's futexes, pinning and pauses.
    .target(name: "CThreadShims"),
    // OpenBLAS and LAPACKE, for the compute library.
    .systemLibrary(name: "CBlas", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    // JPEG, PNG, XXH3, zstd, LZ4, CRC-32 and SQLite, for replay only.
    .systemLibrary(
      name: "CCodecs",
      providers: [
        .apt([
          "libturbojpeg0-dev", "libpng-dev", "libxxhash-dev", "libzstd-dev", "liblz4-dev",
          "zlib1g-dev", "libsqlite3-dev",
        ])
      ]),

    // Hot loops over raw buffers, nothing else; one build per instruction set of the same sources.
    .target(
      name: "SwiftletKernels", dependencies: ["CVectorShims"],
      swiftSettings: kernelSettings(["-march=x86-64-v2"])),
    .target(
      name: "SwiftletKernelsAVX2", dependencies: ["CVectorShims"],
      swiftSettings: kernelSettings(["-march=x86-64-v3"])),
    .target(
      name: "SwiftletKernelsAVX512", dependencies: ["CVectorShims"],
      swiftSettings: kernelSettings(["-march=x86-64-v4", "-mavx512vnni"])),
    // The shims' portable branches on the platform's default CPU: what Arm runs, testable on x86.
    .target(
      name: "SwiftletKernelsPortable", dependencies: ["CVectorShims"],
      swiftSettings: kernelSettings(["-DSWIFTLET_PORTABLE_SHIMS=1"])),

    // Dense layers with AVX-512 BF16: newer than what SwiftletKernelsAVX512 may assume.
    .target(
      name: "SwiftletKernelsBF16", dependencies: ["CVectorShims"],
      swiftSettings: kernelSettings(["-march=x86-64-v4", "-mavx512vnni", "-mavx512bf16"])),

    // The compute library: no clock, no file, no print, no Foundation.
    .target(
      name: "Swiftlet",
      dependencies: [
        "SwiftletKernels", "SwiftletKernelsAVX2", "SwiftletKernelsAVX512",
        "SwiftletKernelsPortable", "SwiftletKernelsBF16", "CVectorShims", "CThreadShims", "CBlas",
      ],
      swiftSettings: strict),
    // swiftlet.h and XXH3.
    .target(name: "CSwiftlet", exclude: ["include/swiftlet.hpp"]),
    // The functions of swiftlet.h.
    .target(
      name: "SwiftletC", dependencies: ["Swiftlet", "CSwiftlet", "CThreadShims"],
      exclude: ["Packaging"], swiftSettings: strict),
    // Recordings, synthetic drives, replay, verdicts and reports.
    .target(
      name: "SwiftletReplay",
      dependencies: [
        "Swiftlet", "CCodecs", "CThreadShims",
        .product(name: "Yams", package: "Yams", condition: tools),
        .product(name: "Histogram", package: "hdrhistogram-swift", condition: tools),
      ],
      swiftSettings: strict),
    // Arguments and exit codes only.
    .executableTarget(
      name: "SwiftletCLI",
      dependencies: [
        "SwiftletReplay", "Swiftlet", "CAllocationCounter",
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: tools),
      ],
      swiftSettings: strict),

    // Interposes malloc and friends and counts them; linked into the tool and tests, never into
    // the libraries.
    .target(name: "CAllocationCounter"),
    // Seeded generators, comparisons with derived tolerances, golden-data location.
    .target(
      name: "SwiftletTestSupport", dependencies: ["Swiftlet"],
      path: "Tests/SwiftletTestSupport"),
    .testTarget(
      name: "SwiftletTests",
      dependencies: [
        "Swiftlet", "SwiftletTestSupport", "CAllocationCounter", "CThreadShims",
      ]),
    .testTarget(
      name: "SwiftletReplayTests",
      dependencies: [
        "SwiftletReplay", "Swiftlet", "SwiftletTestSupport", "SwiftletC", "CSwiftlet", "CCodecs",
      ]),
    .testTarget(
      name: "SwiftletCTests",
      dependencies: ["SwiftletC", "CSwiftlet", "Swiftlet", "SwiftletTestSupport"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
