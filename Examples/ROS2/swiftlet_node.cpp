// A ROS 2 node: PointCloud2 and TF in, optionally a camera network's features and depth
// (Float32MultiArray with three dimensions); a cost map as nav_msgs/OccupancyGrid out. The message code
// is in conversion.hpp, which is tested without ROS.
//
//   parameters: configuration (path of a pipeline.json), world_frame, ego_frame, threads;
//               camera_frame ("" for none) and camera: focal x, focal y, centre x, centre y, width,
//               height of the network's image in pixels
//
// Features and depth belong together and come in this order; they are used for the next scan, in place.
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <geometry_msgs/msg/transform_stamped.hpp>
#include <nav_msgs/msg/occupancy_grid.hpp>
#include <rclcpp/rclcpp.hpp>
#include <sensor_msgs/msg/point_cloud2.hpp>
#include <std_msgs/msg/float32_multi_array.hpp>
#include <tf2_ros/buffer.h>
#include <tf2_ros/transform_listener.h>

#include "conversion.hpp"

class SwiftletNode : public rclcpp::Node {
 public:
  SwiftletNode() : Node("swiftlet"), buffer_(get_clock()), listener_(buffer_) {
    world_ = declare_parameter<std::string>("world_frame", "map");
    ego_ = declare_parameter<std::string>("ego_frame", "base_link");
    const std::string path = declare_parameter<std::string>("configuration", "");
    swiftlet_options options = swiftlet::options();
    options.thread_count = static_cast<int>(declare_parameter<int>("threads", 1));
    std::string text;
    if (!path.empty()) {
      std::ifstream file(path);
      text.assign(std::istreambuf_iterator<char>(file), {});
      options.configuration = text.data();
      options.configuration_size = text.size();
    }
    swiftlet::Status status;
    pipeline_ = swiftlet::Pipeline::create(options, status);
    if (status) status = setRig();
    if (status) status = pipeline_.prepareQueries(swiftlet::queryOptions());
    if (!status) {
      RCLCPP_FATAL(get_logger(), "%s: %s", status.name(), status.message());
      rclcpp::shutdown();
      return;
    }
    publisher_ = create_publisher<nav_msgs::msg::OccupancyGrid>("costs", 1);
    subscription_ = create_subscription<sensor_msgs::msg::PointCloud2>(
        "points", rclcpp::SensorDataQoS(),
        [this](sensor_msgs::msg::PointCloud2::ConstSharedPtr cloud) { process(*cloud); });
    if (camera_.empty()) return;
    features_ = create_subscription<Tensor>("features", rclcpp::SensorDataQoS(), [this](Tensor::ConstSharedPtr m) {
      latestFeatures_ = std::move(m);
      latestDepth_ = nullptr;
      featuresTime_ = now();
    });
    depth_ = create_subscription<Tensor>("depth", rclcpp::SensorDataQoS(),
                                         [this](Tensor::ConstSharedPtr m) { latestDepth_ = std::move(m); });
  }

 private:
  using Tensor = std_msgs::msg::Float32MultiArray;

  swiftlet::Status setRig() {
    camera_ = declare_parameter<std::string>("camera_frame", "");
    const auto numbers = declare_parameter<std::vector<double>>("camera", std::vector<double>(6, 0.0));
    const swiftlet_lidar lidar = swiftlet::lidar();
    swiftlet_camera camera = swiftlet::camera();
    if (numbers.size() == 6) {
      camera.focal_x = numbers[0];
      camera.focal_y = numbers[1];
      camera.center_x = numbers[2];
      camera.center_y = numbers[3];
      camera.width = camera.network_width = static_cast<std::int32_t>(numbers[4]);
      camera.height = camera.network_height = static_cast<std::int32_t>(numbers[5]);
    }
    // Where the camera sits is given with every frame.
    const std::size_t cameras = camera_.empty() ? 0 : 1;
    return pipeline_.setRig(swiftlet::rig({&camera, cameras}, {&lidar, 1}));
  }

  // The camera's part, where its tensors are there and can be used.
  swiftlet_camera_frame cameraFrame(const rclcpp::Time &time) {
    swiftlet_camera_frame frame = swiftlet::cameraFrame();
    std::string why;
    if (latestFeatures_ == nullptr || latestDepth_ == nullptr) return frame;
    if (!swiftlet_ros::tensor(*latestFeatures_, frame.features, why) ||
        !swiftlet_ros::tensor(*latestDepth_, frame.depth, why)) {
      RCLCPP_WARN(get_logger(), "camera: %s", why.c_str());
      return frame;
    }
    // Float32MultiArray has no stamp: the time it came at, seen from the scan's.
    swiftlet::assign(frame.key_ego_from_camera,
                     swiftlet_ros::transform(
                         buffer_.lookupTransform(ego_, time, camera_, featuresTime_, world_).transform));
    frame.timestamp_ns = featuresTime_.nanoseconds();
    frame.flags = SWIFTLET_SENSOR_VALID;
    return frame;
  }

  void process(const sensor_msgs::msg::PointCloud2 &cloud) {
    swiftlet_lidar_frame lidar;
    swiftlet_camera_frame camera;
    swiftlet_frame frame;
    std::string why;
    try {
      const rclcpp::Time time(cloud.header.stamp);
      const auto lookUp = [&](const std::string &source) {
        return swiftlet_ros::transform(buffer_.lookupTransform(world_, source, time).transform);
      };
      if (!swiftlet_ros::lidarFrame(cloud, lookUp(cloud.header.frame_id), lidar, why)) {
        RCLCPP_WARN(get_logger(), "points: %s", why.c_str());
        return;
      }
      const std::size_t cameras = camera_.empty() ? 0 : 1;
      if (cameras > 0) camera = cameraFrame(time);
      frame = swiftlet::frame({&camera, cameras}, {&lidar, 1});
      swiftlet::assign(frame.world_from_ego, lookUp(ego_));
    } catch (const tf2::TransformException &error) {
      RCLCPP_WARN(get_logger(), "no transform yet: %s", error.what());
      return;
    }
    frame.timestamp_ns = lidar.timestamp_ns;
    if (const swiftlet::Status status = pipeline_.process(frame); !status) {
      RCLCPP_WARN(get_logger(), "%s: %s", status.name(), status.message());
      return;
    }
    swiftlet_cost_map_view map;
    if (!pipeline_.updateQueries() || !pipeline_.costMap(map)) return;
    auto grid = std::make_unique<nav_msgs::msg::OccupancyGrid>();
    grid->header.stamp = cloud.header.stamp;
    grid->header.frame_id = world_;
    swiftlet_ros::occupancyGrid(map, *grid);
    publisher_->publish(std::move(grid));
  }

  std::string world_, ego_, camera_;
  tf2_ros::Buffer buffer_;
  tf2_ros::TransformListener listener_;
  swiftlet::Pipeline pipeline_;
  Tensor::ConstSharedPtr latestFeatures_, latestDepth_;
  rclcpp::Time featuresTime_;
  rclcpp::Subscription<Tensor>::SharedPtr features_, depth_;
  rclcpp::Publisher<nav_msgs::msg::OccupancyGrid>::SharedPtr publisher_;
  rclcpp::Subscription<sensor_msgs::msg::PointCloud2>::SharedPtr subscription_;
};

int main(int argc, char **argv) {
  rclcpp::init(argc, argv);
  rclcpp::spin(std::make_shared<SwiftletNode>());
  rclcpp::shutdown();
}
