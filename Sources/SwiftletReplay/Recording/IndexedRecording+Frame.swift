import Swiftlet

/// A frame while its sensors are read.
private struct FrameAssembly {
  let frame: Int
  let timestampNanoseconds: Int64
  let worldFromEgo: RigidTransform
  var warnings: [ReplayWarning] = []
  var storage: [any AnyObject & Sendable] = []
  var egoBodyPointCount = 0
  var notFinitePointCount = 0
  var pointLabels: [[UInt8]] = []

  mutating func warn(_ code: String, _ sensor: String?, _ message: String) {
    warnings.append(ReplayWarning(code: code, frame: frame, sensor: sensor, message: message))
  }
}

/// A sensor's sample that belongs to a frame, with the ego's pose at its time.
private struct ChosenSample {
  var sample: IndexedSample
  var age: Int64
  var worldFromEgo: RigidTransform
  var calibration: SensorCalibration
}

extension IndexedRecording {
  func loadFrame(_ number: Int) throws(RecordingError) -> RecordedFrame {
    precondition(frames.indices.contains(number), "frame \(number) of \(frames.count)")
    let planned = frames[number]
    guard let worldFromEgo = planned.pose.transform else { throw missingPose(number) }
    var assembly = FrameAssembly(
      frame: number, timestampNanoseconds: planned.timestampNanoseconds,
      worldFromEgo: worldFromEgo)
    if let jump = planned.jump { assembly.warn(ReplayWarning.poseJump, nil, jump) }
    var cameras: [CameraInput] = []
    var lidars: [LidarInput] = []
    for position in index.sensors.indices {
      switch index.sensors[position].kind {
      case .camera: cameras.append(camera(position, planned, &assembly))
      case .lidar: lidars.append(lidar(position, planned, &assembly))
      }
    }
    guard cameras.contains(where: \.isValid) || lidars.contains(where: \.isValid) else {
      throw nothingUsable(number, assembly.warnings)
    }
    return RecordedFrame(
      index: number,
      sensorFrame: SensorFrame(
        timestampNanoseconds: planned.timestampNanoseconds, worldFromEgo: worldFromEgo,
        resetsHistory: planned.resetsHistory, cameras: cameras, lidars: lidars,
        bevMaps: bevMaps(planned, &assembly)),
      warnings: assembly.warnings, egoBodyPointCount: assembly.egoBodyPointCount,
      notFinitePointCount: assembly.notFinitePointCount, pointLabels: assembly.pointLabels,
      storage: assembly.storage)
  }

  private func missingPose(_ number: Int) -> RecordingError {
    RecordingError(
      file: index.path, record: "frame \(number)",
      expected: "an ego pose within 100 ms of \(frames[number].timestampNanoseconds) ns",
      found: index.poses.isEmpty
        ? "no poses"
        : "poses from \(index.poses.timestamps.first ?? 0) to \(index.poses.timestamps.last ?? 0)",
      remedy: "give a poses file that covers the recording")
  }

  private func nothingUsable(_ number: Int, _ warnings: [ReplayWarning]) -> RecordingError {
    RecordingError(
      file: index.path, record: "frame \(number)", expected: "a camera or LiDAR that can be used",
      found: warnings.isEmpty ? "none" : warnings.map(\.message).joined(separator: "; "),
      remedy: "repair or leave out this frame")
  }

  // MARK: association

  /// The sensor's sample for a frame, or nil with a warning.
  private func choose(
    _ position: Int, _ planned: PlannedFrame, _ assembly: inout FrameAssembly
  ) -> ChosenSample? {
    let sensor = index.sensors[position]
    // The recording's own warnings name sensors that no frame can use.
    guard sensor.problem == nil else { return nil }
    let time = planned.timestampNanoseconds
    guard
      let number = position == trigger ? planned.sample : nearest(sensor.samples, time),
      let age = withinAge(time, sensor.samples[number].timestampNanoseconds, sensor.name)
    else {
      assembly.warn(
        ReplayWarning.sensorMissing, sensor.name,
        "no sample within \(maximumAge(sensor.name) / 1_000_000) ms of the frame")
      return nil
    }
    let sample = sensor.samples[number]
    guard sample.isPresent else {
      assembly.warn(ReplayWarning.fileMissing, sensor.name, "\(sample.file) is not there")
      return nil
    }
    guard let calibration = sample.calibration else {
      assembly.warn(
        ReplayWarning.calibrationMissing, sensor.name, "\(sample.file) has no usable calibration")
      return nil
    }
    let pose = index.pose(of: sample)
    guard let worldFromEgo = pose.transform else {
      assembly.warn(
        ReplayWarning.poseMissing, sensor.name,
        "no ego pose within 100 ms of \(sample.timestampNanoseconds) ns")
      return nil
    }
    if pose.isExtrapolated {
      assembly.warn(
        ReplayWarning.poseExtrapolated, sensor.name,
        "the ego pose at \(sample.timestampNanoseconds) ns lies outside the recorded ones")
    }
    return ChosenSample(
      sample: sample, age: age, worldFromEgo: worldFromEgo,
      calibration: sensor.calibrations[calibration])
  }

  /// The number of the sensor's sample that belongs to a frame; nil where none is near enough.
  func sampleNumber(sensor position: Int, frame: Int) -> Int? {
    let sensor = index.sensors[position]
    let time = frames[frame].timestampNanoseconds
    guard sensor.problem == nil,
      let number = position == trigger ? frames[frame].sample : nearest(sensor.samples, time),
      withinAge(time, sensor.samples[number].timestampNanoseconds, sensor.name) != nil
    else { return nil }
    return number
  }

  /// The nearest sample (the earlier of two equally near ones), or the latest not after `time`.
  private func nearest(_ samples: [IndexedSample], _ time: Int64) -> Int? {
    let after = samples.partitioningIndex { $0.timestampNanoseconds > time }
    let before = after - 1
    if options.association == .latest { return before >= 0 ? before : nil }
    guard before >= 0 else { return after < samples.count ? after : nil }
    guard after < samples.count else { return before }
    let back = Self.distance(time, samples[before].timestampNanoseconds)
    return Self.distance(samples[after].timestampNanoseconds, time) < back ? after : before
  }

  private func withinAge(_ time: Int64, _ sample: Int64, _ sensor: String) -> Int64? {
    Self.distance(time, sample) <= UInt64(maximumAge(sensor)) ? time - sample : nil
  }
  /// Never overflows, whatever times a damaged recording holds.
  private static func distance(_ a: Int64, _ b: Int64) -> UInt64 {
    a > b ? UInt64(bitPattern: a &- b) : UInt64(bitPattern: b &- a)
  }
  private func maximumAge(_ sensor: String) -> Int64 { maximumAgeNanoseconds(sensor) }

  /// How far a sensor's sample may lie from the frame's time.
  func maximumAgeNanoseconds(_ sensor: String) -> Int64 {
    let (seconds, attoseconds) = (options.maximumAgeOfSensor[sensor] ?? options.maximumAge)
      .components
    return min(max(seconds, 0), 1_000_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  // MARK: cameras

  private func camera(
    _ position: Int, _ planned: PlannedFrame, _ assembly: inout FrameAssembly
  ) -> CameraInput {
    let sensor = index.sensors[position]
    guard let chosen = choose(position, planned, &assembly),
      let intrinsics = chosen.calibration.intrinsics
    else { return absentCamera(sensor) }
    let prepared = NetworkImage.preparation(
      imageWidth: intrinsics.widthPixels, imageHeight: intrinsics.heightPixels)
    var camera = CameraInput(
      name: sensor.name, timestampNanoseconds: chosen.sample.timestampNanoseconds,
      ageNanoseconds: chosen.age, isValid: true, intrinsics: intrinsics,
      egoFromCamera: chosen.calibration.egoFromSensor,
      keyEgoFromCamera: assembly.worldFromEgo.inverse * chosen.worldFromEgo
        * chosen.calibration.egoFromSensor,
      augmentation: prepared.augmentation, networkWidthPixels: prepared.width,
      networkHeightPixels: prepared.height)
    attachOutputs(&camera, chosen.sample, &assembly)
    if options.decodesImages {
      camera.image = image(sensor, chosen.sample, intrinsics, &assembly)
      camera.isValid = camera.image != nil || camera.features != nil
    }
    return camera
  }

  /// Radar map and map prior nearest to the frame, at their own times.
  private func bevMaps(
    _ planned: PlannedFrame, _ assembly: inout FrameAssembly
  ) -> [BEVMapInput] {
    var maps: [BEVMapInput] = []
    for source in networkMaps {
      let time = planned.timestampNanoseconds
      guard let number = nearest(source.samples, time) else { continue }
      let sample = source.samples[number].timestampNanoseconds
      let age =
        source.kind == .mapPrior ? Self.clampedAge(time, sample)
        : withinAge(time, sample, source.kind.folderName)
      guard let age, let pose = index.pose(at: sample).transform else {
        assembly.warn(
          ReplayWarning.sensorMissing, source.kind.folderName,
          "no map within \(maximumAge(source.kind.folderName) / 1_000_000) ms of the frame with a pose")
        continue
      }
      do throws(RecordingError) {
        maps.append(
          try source.load(
            number, ageNanoseconds: age, worldFromEgo: pose, storage: &assembly.storage))
      } catch {
        assembly.warn(
          ReplayWarning.networkOutputInvalid, source.kind.folderName, error.description)
      }
    }
    return maps
  }

  private static func clampedAge(_ time: Int64, _ sample: Int64) -> Int64 {
    Int64(clamping: distance(time, sample)) * (time >= sample ? 1 : -1)
  }

  private func attachOutputs(
    _ camera: inout CameraInput, _ sample: IndexedSample, _ assembly: inout FrameAssembly
  ) {
    guard let networkOutputs else { return }
    do throws(RecordingError) {
      guard let output = try networkOutputs.load(camera: camera.name, sample: sample) else {
        assembly.warn(
          ReplayWarning.networkOutputMissing, camera.name,
          "\(networkOutputs.folder)/\(camera.name) has no tensors for \(sample.outputName)")
        return
      }
      camera.features = output.features
      camera.depth = output.depth
      camera.depthIsLogits = output.depthIsLogits
      camera.networkWidthPixels = output.preparation.width ?? camera.networkWidthPixels
      camera.networkHeightPixels = output.preparation.height ?? camera.networkHeightPixels
      camera.augmentation = output.preparation.augmentation ?? camera.augmentation
      assembly.storage += output.storage
    } catch {
      assembly.warn(ReplayWarning.networkOutputInvalid, camera.name, error.description)
    }
  }

  /// The decoded image, or nil with a warning.
  private func image(
    _ sensor: IndexedSensor, _ sample: IndexedSample, _ intrinsics: CameraIntrinsics,
    _ assembly: inout FrameAssembly
  ) -> ImageView? {
    let bytes: [UInt8]
    do throws(RecordingError) {
      bytes = try reader.readImage(sensor, sample)
    } catch {
      assembly.warn(ReplayWarning.imageUndecodable, sensor.name, error.description)
      return nil
    }
    do throws(CodecError) {
      let (pixels, size) = try ImageCodec.decodeAligned(bytes)
      guard size.width == intrinsics.widthPixels, size.height == intrinsics.heightPixels else {
        assembly.warn(
          ReplayWarning.imageSizeMismatch, sensor.name,
          "\(sample.file): expected \(intrinsics.widthPixels)×\(intrinsics.heightPixels) pixels as "
            + "calibrated, found \(size.width)×\(size.height); calibrate for this size")
        return nil
      }
      assembly.storage.append(pixels)
      return unsafe ImageView(
        base: UnsafePointer(pixels.pointer), widthPixels: size.width, heightPixels: size.height)
    } catch {
      assembly.warn(
        ReplayWarning.imageUndecodable, sensor.name, "\(sample.file): \(error.description)")
      return nil
    }
  }

  /// Holds the camera's place in the rig; it is masked, never read.
  private func absentCamera(_ sensor: IndexedSensor) -> CameraInput {
    let calibration = sensor.problem == nil ? sensor.calibrations.first : nil
    let intrinsics =
      calibration?.intrinsics
      ?? CameraIntrinsics(
        focalX: 1, focalY: 1, centerX: 0, centerY: 0, widthPixels: NetworkImage.widthPixels,
        heightPixels: NetworkImage.maximumHeightPixels)
    let prepared = NetworkImage.preparation(
      imageWidth: intrinsics.widthPixels, imageHeight: intrinsics.heightPixels)
    let mount = calibration?.egoFromSensor ?? .identity
    return CameraInput(
      name: sensor.name, timestampNanoseconds: 0, ageNanoseconds: 0, isValid: false,
      intrinsics: intrinsics, egoFromCamera: mount, keyEgoFromCamera: mount,
      augmentation: prepared.augmentation, networkWidthPixels: prepared.width,
      networkHeightPixels: prepared.height)
  }

  // MARK: LiDARs

  private func lidar(
    _ position: Int, _ planned: PlannedFrame, _ assembly: inout FrameAssembly
  ) -> LidarInput {
    let sensor = index.sensors[position]
    guard let chosen = choose(position, planned, &assembly),
      var scan = readScan(sensor, chosen.sample, &assembly)
    else {
      assembly.pointLabels.append([])
      return absentLidar(sensor)
    }
    let mount = chosen.calibration.egoFromSensor
    deskew(&scan, sensor, chosen, &assembly)
    if !options.keepsEgoBodyPoints, let box = options.egoBodyBox ?? index.egoBodyBox {
      assembly.egoBodyPointCount += scan.removePoints(inside: box, egoFromLidar: mount)
    }
    assembly.pointLabels.append(scan.labels)
    return LidarInput(
      name: sensor.name, timestampNanoseconds: chosen.sample.timestampNanoseconds,
      ageNanoseconds: chosen.age, isValid: true, points: Self.view(scan, &assembly),
      egoFromLidar: mount, worldFromLidar: chosen.worldFromEgo * mount)
  }

  private func readScan(
    _ sensor: IndexedSensor, _ sample: IndexedSample, _ assembly: inout FrameAssembly
  ) -> LidarScan? {
    do throws(RecordingError) {
      let scan = try reader.readScan(sensor, sample)
      if let problem = scan.problem { assembly.warn(problem.code, sensor.name, problem.message) }
      if scan.notFiniteCount > 0 {
        assembly.notFinitePointCount += scan.notFiniteCount
        assembly.warn(
          ReplayWarning.pointsNotFinite, sensor.name,
          "\(scan.notFiniteCount) points with NaN or infinite values left out")
      }
      if scan.count == 0 {
        assembly.warn(ReplayWarning.pointsEmpty, sensor.name, "\(sample.file) has no points")
      }
      return scan
    } catch {
      assembly.warn(ReplayWarning.pointsUnreadable, sensor.name, error.description)
      return nil
    }
  }

  private func deskew(
    _ scan: inout LidarScan, _ sensor: IndexedSensor, _ chosen: ChosenSample,
    _ assembly: inout FrameAssembly
  ) {
    guard !scan.times.isEmpty else { return }
    let mount = chosen.calibration.egoFromSensor
    let start = chosen.sample.timestampNanoseconds
    let unmoved = scan.deskew { seconds in
      // A time of hours would be a damaged field; it finds no pose below.
      guard abs(seconds) < 10 else { return nil }
      let time = start.addingReportingOverflow(Int64((Double(seconds) * 1e9).rounded()))
      guard !time.overflow else { return nil }
      return self.index.pose(at: time.partialValue).transform.map { $0 * mount }
    }
    if unmoved > 0 {
      assembly.warn(
        ReplayWarning.deskewIncomplete, sensor.name,
        "\(unmoved) points have no ego pose at their own time and were left where they are")
    }
  }

  private static func view(_ scan: LidarScan, _ assembly: inout FrameAssembly) -> PointCloudView {
    guard scan.count > 0 else { return .empty }
    let buffer = AlignedBuffer(scan.values)
    assembly.storage.append(buffer)
    var view = unsafe PointCloudView(
      base: UnsafeRawPointer(buffer.pointer), count: scan.count, byteStride: 16)
    if scan.hasIntensity { view.intensityByteOffset = 12 }
    return view
  }

  private func absentLidar(_ sensor: IndexedSensor) -> LidarInput {
    LidarInput(
      name: sensor.name, timestampNanoseconds: 0, ageNanoseconds: 0, isValid: false,
      points: .empty, egoFromLidar: .identity, worldFromLidar: .identity)
  }
}
