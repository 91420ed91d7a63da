// A ROS 2 node: PointCloud2 and TF in, optionally one camera's features and depth; a cost map as
// nav_msgs/OccupancyGrid out. The message code is in conversion.hpp, which is tested without ROS.
//
//   parameters: configuration (path of a pipeline.json), world_frame, ego_frame, threads
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <geometry_msgs/msg/transform_stamped.hpp>
#include <nav_msgs/msg/occupancy_grid.hpp>
#include <rclcpp/rclcpp.hpp>
#include <sensor_msgs/msg/point_cloud2.hpp>
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
    const swiftlet_lidar lidar = swiftlet::lidar();
    if (status) status = pipeline_.setRig(swiftlet::rig({}, {&lidar, 1}));
    if (!status || swiftlet_pipeline_prepare_queries(pipeline_.handle(), nullptr, nullptr) != SWIFTLET_OK) {
      RCLCPP_FATAL(get_logger(), "%s: %s", status.name(), status.message());
      rclcpp::shutdown();
      return;
    }
    publisher_ = create_publisher<nav_msgs::msg::OccupancyGrid>("costs", 1);
    subscription_ = create_subscription<sensor_msgs::msg::PointCloud2>(
        "points", rclcpp::SensorDataQoS(),
        [this](sensor_msgs::msg::PointCloud2::ConstSharedPtr cloud) { process(*cloud); });
  }

 private:
  void process(const sensor_msgs::msg::PointCloud2 &cloud) {
    swiftlet_lidar_frame lidar;
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
      frame = swiftlet::frame({}, {&lidar, 1});
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
    if (swiftlet_pipeline_update_queries(pipeline_.handle(), nullptr) != SWIFTLET_OK ||
        swiftlet_query_cost_map(pipeline_.handle(), &map, nullptr) != SWIFTLET_OK)
      return;
    auto grid = std::make_unique<nav_msgs::msg::OccupancyGrid>();
    grid->header.stamp = cloud.header.stamp;
    grid->header.frame_id = world_;
    swiftlet_ros::occupancyGrid(map, *grid);
    publisher_->publish(std::move(grid));
  }

  std::string world_, ego_;
  tf2_ros::Buffer buffer_;
  tf2_ros::TransformListener listener_;
  swiftlet::Pipeline pipeline_;
  rclcpp::Publisher<nav_msgs::msg::OccupancyGrid>::SharedPtr publisher_;
  rclcpp::Subscription<sensor_msgs::msg::PointCloud2>::SharedPtr subscription_;
};

int main(int argc, char **argv) {
  rclcpp::init(argc, argv);
  rclcpp::spin(std::make_shared<SwiftletNode>());
  rclcpp::shutdown();
}
