// A web server for tests of downloads: files by path, ranges, ETags, redirects, and connections that break off where a test wants them to.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace atelier::testing {

class FileServer {
 public:
  struct File {
    std::string body;
    std::string etag = "\"1\"";
    int status = 200;
    std::string location = {};  // of a redirect
  };

  FileServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), length);
    ::listen(socket_, 8);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FileServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;

  std::string url(const std::string& path = "") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  void put(const std::string& path, File file) {
    const std::lock_guard lock(mutex_);
    files_[path] = std::move(file);
  }
  // The next `count` answers end after `bytes` bytes of their body.
  void break_off(int count, size_t bytes) {
    const std::lock_guard lock(mutex_);
    num_broken_ = count;
    broken_bytes_ = bytes;
  }
  std::vector<std::string> requests() const {  // heads, in order
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    int client = -1;
    while ((client = ::accept(socket_, nullptr, nullptr)) >= 0) {
      std::string head;
      char byte = 0;
      while (head.find("\r\n\r\n") == std::string::npos && ::recv(client, &byte, 1, 0) == 1) head += byte;
      const std::string answer = answer_to(head);
      ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(client);
    }
  }

  static std::string header(const std::string& head, const std::string& name) {
    const size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }

  std::string answer_to(const std::string& head) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(head);
    const size_t begin = head.find(' ') + 1;
    const auto found = files_.find(head.substr(begin, head.find(' ', begin) - begin));
    if (found == files_.end()) return "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\nConnection: close\r\n\r\nno file";
    const File& file = found->second;
    size_t from = 0;
    int status = file.status;
    if (const std::string range = header(head, "Range"); range.starts_with("bytes=") && header(head, "If-Range") == file.etag) {
      from = static_cast<size_t>(std::atoll(range.c_str() + 6));
      status = from < file.body.size() ? 206 : 416;
    }
    std::string body = status == 416 ? "" : file.body.substr(from);
    std::string out = "HTTP/1.1 " + std::to_string(status) + " x\r\nConnection: close\r\nETag: " + file.etag +
                      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    if (!file.location.empty()) out += "Location: " + file.location + "\r\n";
    if (num_broken_ > 0) {
      --num_broken_;
      body.resize(std::min(body.size(), broken_bytes_));
    }
    return out + "\r\n" + body;
  }

  int socket_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
  std::vector<std::string> requests_;
  int num_broken_ = 0;
  size_t broken_bytes_ = 0;
  std::thread thread_;
};

}  // namespace atelier::testing
