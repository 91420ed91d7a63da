#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An owned array of trivial elements, 64-byte aligned and written once when made, so that no page
/// faults later. Its size never changes; nothing allocates after `init`.
///
/// 64 slack bytes follow the last element and are zero, so a kernel may read one whole vector from
/// any valid index.
@safe
public final class AlignedBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline let storage: UnsafeMutablePointer<Element>
  /// The number of elements.
  public let count: Int

  /// A buffer of `count` elements, all bytes zero.
  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot hold \(count) elements")
    self.count = count
    let byteCount = (count * MemoryLayout<Element>.stride + 64 + 63) & ~63
    guard let raw = unsafe aligned_alloc(64, byteCount) else {
      fatalError("cannot allocate \(byteCount) bytes")
    }
    unsafe memset(raw, 0, byteCount)
    unsafe storage = raw.bindMemory(to: Element.self, capacity: count)
  }

  /// A buffer with the elements of `values`.
  public convenience init(_ values: [Element]) {
    self.init(count: values.count)
    unsafe values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { unsafe storage.update(from: base, count: values.count) }
    }
  }

  deinit { unsafe free(storage) }

  /// Bounds-checked access, for setup and tests; hot loops take `pointer`.
  @inlinable
  public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count, "index \(index) of a buffer of \(count)")
      return unsafe storage[index]
    }
    set {
      precondition(index >= 0 && index < count, "index \(index) of a buffer of \(count)")
      unsafe storage[index] = newValue
    }
  }

  /// The elements, valid as long as the buffer lives.
  @unsafe @inlinable public var pointer: UnsafeMutablePointer<Element> { unsafe storage }
  /// The elements as a collection, valid as long as the buffer lives.
  @unsafe @inlinable public var elements: UnsafeMutableBufferPointer<Element> {
    unsafe UnsafeMutableBufferPointer(start: storage, count: count)
  }
  /// A copy as an array; allocates.
  public var array: [Element] { unsafe Array(elements) }

  /// Sets every byte to zero.
  public func zero() { unsafe memset(storage, 0, count * MemoryLayout<Element>.stride) }
  /// Sets every element.
  public func fill(_ value: Element) { unsafe elements.update(repeating: value) }
}
