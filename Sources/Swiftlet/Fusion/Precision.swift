import CVectorShims

/// How the weights of a dense layer are kept and multiplied. Sums are float32, or exact integers.
public enum DensePrecision: String, Sendable, CaseIterable, BitwiseCopyable {
  case fp32
  /// IEEE half weights, float32 inputs and arithmetic: half the memory of the weights.
  case fp16
  /// bfloat16 weights and inputs (round to nearest even), float32 sums; the same bits on every
  /// instruction set. AVX-512 BF16 where the CPU has it.
  case bf16
  /// Signed 8-bit weights with a scale per output, 8-bit inputs with a calibrated scale or one per
  /// row, exact sums; the same bits on every instruction set. AVX-512 VNNI in the avx512 kernels.
  case int8

  /// The precision of that name.
  ///
  /// - Throws: `ConfigurationError` for another name.
  public static func named(_ name: String) throws(ConfigurationError) -> DensePrecision {
    guard let precision = DensePrecision(rawValue: name) else {
      throw ConfigurationError(
        field: "precision", expected: "one of \(allCases.map(\.rawValue).joined(separator: ", "))",
        found: name, remedy: "choose one of the listed precisions")
    }
    return precision
  }
}

extension DensePrecision {
  /// The precision of the product that gives sampling offsets and attention logits. In int8 it stays
  /// in bfloat16: an offset's error moves the sample, so it grows with the slope of the map, while an
  /// error of a value is one of many that are averaged.
  var ofPositions: DensePrecision { self == .int8 ? .bf16 : self }
}

/// The newer instructions of this CPU that dense layers use, checked before any kernel runs.
public enum DenseInstructions {
  /// AVX-512 BF16: dot products of bfloat16 pairs.
  public static let hasBFloat = swl_cpu_has_avx512_bf16()
  /// AMX tiles. Reported only: no kernel of this version uses them.
  public static let hasTiles = swl_cpu_has_amx()
}

/// Layers whose inputs can be measured, so that int8 gets fixed scales.
public protocol CalibratedLayers {
  /// Every dense layer under a name that weights of the same kind share.
  var denseLayers: [(name: String, layer: Linear)] { get }
}

extension CalibratedLayers {
  /// From now on every layer keeps the largest magnitude of its inputs, from 0 when `isOn`. Not for
  /// timed runs.
  public func observeInputs(_ isOn: Bool) {
    for (_, layer) in denseLayers { layer.observeInputs(isOn) }
  }

  /// Largest magnitude / 127 of every layer that has seen anything but zeros.
  public var observedScales: [String: Float] {
    var scales: [String: Float] = [:]
    for (name, layer) in denseLayers {
      if let largest = layer.observedMagnitude { scales[name] = largest / 127 }
    }
    return scales
  }

  /// Takes over scales by name. Layers of other precisions ignore theirs.
  ///
  /// - Throws: `ConfigurationError` when a layer's scale is missing or not positive.
  public func setInputScales(_ scales: [String: Float]) throws(ConfigurationError) {
    for (name, _) in denseLayers {
      let scale = scales[name] ?? 0
      guard scale > 0, scale.isFinite else {
        throw ConfigurationError(
          field: "scales.\(name)", expected: "a positive number",
          found: scales[name].map { "\($0)" } ?? "none",
          remedy: "calibrate with these layers' weights")
      }
    }
    for (name, layer) in denseLayers { layer.inputScale = scales[name] ?? 0 }
  }
}
