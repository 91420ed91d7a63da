import CSwiftlet
import Swiftlet

@c @implementation
public func swiftlet_status_name(_ status: swiftlet_status) -> UnsafePointer<CChar>! {
  unsafe cString(statusTexts(status).name)
}

@c @implementation
public func swiftlet_status_text(_ status: swiftlet_status) -> UnsafePointer<CChar>! {
  unsafe cString(statusTexts(status).text)
}

private func statusTexts(_ status: swiftlet_status) -> (name: StaticString, text: StaticString) {
  switch Int(status) {
  case Int(SWIFTLET_OK): ("SWIFTLET_OK", "it worked")
  case Int(SWIFTLET_ERROR_NULL):
    ("SWIFTLET_ERROR_NULL", "a pointer that must not be NULL is; hand one over")
  case Int(SWIFTLET_ERROR_STRUCT_SIZE):
    ("SWIFTLET_ERROR_STRUCT_SIZE", "struct_size is unknown; call the structure's _init function")
  case Int(SWIFTLET_ERROR_CONFIGURATION):
    ("SWIFTLET_ERROR_CONFIGURATION", "a setting cannot be used; the message names it")
  case Int(SWIFTLET_ERROR_WEIGHTS):
    ("SWIFTLET_ERROR_WEIGHTS", "the weights are damaged or do not fit the configuration")
  case Int(SWIFTLET_ERROR_CALIBRATION):
    ("SWIFTLET_ERROR_CALIBRATION", "a camera or mount cannot be used; calibrate again")
  case Int(SWIFTLET_ERROR_INPUT):
    ("SWIFTLET_ERROR_INPUT", "an input of the call cannot be used; the message names it")
  case Int(SWIFTLET_ERROR_BUSY):
    ("SWIFTLET_ERROR_BUSY", "another thread is inside a call on this handle; use one thread each")
  case Int(SWIFTLET_ERROR_STATE):
    ("SWIFTLET_ERROR_STATE", "another call has to come first; the message names it")
  case Int(SWIFTLET_ERROR_TOO_LARGE):
    ("SWIFTLET_ERROR_TOO_LARGE", "more points or memory than the options allow; raise the limit")
  case Int(SWIFTLET_ERROR_BUFFER):
    ("SWIFTLET_ERROR_BUFFER", "the buffer is too small; the needed size was written")
  case Int(SWIFTLET_ERROR_UNSUPPORTED):
    ("SWIFTLET_ERROR_UNSUPPORTED", "this CPU or build lacks what was asked for")
  case Int(SWIFTLET_ERROR_SYSTEM):
    ("SWIFTLET_ERROR_SYSTEM", "the operating system refused; check the process's limits")
  case Int(SWIFTLET_ERROR_FORMAT):
    ("SWIFTLET_ERROR_FORMAT", "the bytes are damaged or of another version; write them again")
  default: ("unknown status", "a status this library does not know; check the ABI version")
  }
}

@c @implementation
public func swiftlet_abi_version() -> UInt32 { UInt32(SWIFTLET_ABI_VERSION) }

@c @implementation
public func swiftlet_version() -> UnsafePointer<CChar>! { unsafe cString("0.1.0") }

@c @implementation
public func swiftlet_best_instruction_set() -> UnsafePointer<CChar>! {
  switch InstructionSet.best {
  case .portable: unsafe cString("portable")
  case .baseline: unsafe cString("baseline")
  case .avx2: unsafe cString("avx2")
  case .avx512: unsafe cString("avx512")
  }
}
