import CVectorShims

/// Which build of the kernels runs. Chosen once, printed in every report, and can be forced.
public enum InstructionSet: String, Sendable, CaseIterable, BitwiseCopyable {
  /// The shims' generic branches on the compiler's default CPU: what runs on Arm.
  case portable
  /// x86-64-v2 (SSE4.2).
  case baseline
  /// x86-64-v3 (AVX2, FMA).
  case avx2
  /// x86-64-v4 plus VNNI.
  case avx512

  /// Whether this CPU and operating system can run it. Reads CPUID; allocates nothing.
  public var isSupported: Bool {
    switch self {
    case .portable: true
    case .baseline: swl_cpu_has_v2()
    case .avx2: swl_cpu_has_v3()
    case .avx512: swl_cpu_has_v4_vnni()
    }
  }

  /// The fastest instruction set this CPU has.
  public static var best: InstructionSet {
    if InstructionSet.avx512.isSupported { return .avx512 }
    if InstructionSet.avx2.isSupported { return .avx2 }
    if InstructionSet.baseline.isSupported { return .baseline }
    return .portable
  }

  /// All sets this CPU can run, slowest first.
  public static var supported: [InstructionSet] { allCases.filter(\.isSupported) }

  /// The set named by a user, checked against this CPU before any kernel runs.
  ///
  /// - Throws: `ConfigurationError` when the name is unknown or the CPU lacks the set.
  public static func named(_ name: String) throws(ConfigurationError) -> InstructionSet {
    let choices = allCases.map(\.rawValue).joined(separator: ", ")
    guard let set = InstructionSet(rawValue: name) else {
      throw ConfigurationError(
        field: "isa", expected: "one of \(choices)", found: name,
        remedy: "choose one of the listed sets or leave it out")
    }
    guard set.isSupported else {
      throw ConfigurationError(
        field: "isa", expected: "an instruction set of this CPU", found: name,
        remedy: "this CPU has \(supported.map(\.rawValue).joined(separator: ", "))")
    }
    return set
  }
}

/// Who computes: the scalar references, or the vector kernels of one instruction set.
public enum Engine: Sendable, Equatable, BitwiseCopyable {
  /// Scalar, in the order of the papers, written to be believed.
  case reference
  case simd(InstructionSet)

  /// The vector kernels of the best instruction set here.
  public static var best: Engine { .simd(.best) }

  /// `reference` or `simd`.
  public var name: String {
    switch self {
    case .reference: "reference"
    case .simd: "simd"
    }
  }
  /// The instruction set's name; `scalar` for the reference.
  public var instructionSetName: String {
    switch self {
    case .reference: "scalar"
    case .simd(let set): set.rawValue
    }
  }
}
