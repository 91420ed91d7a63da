import SwiftletReplay
import Testing

@Test func `the version is set`() { #expect(!SwiftletVersion.package.isEmpty) }
