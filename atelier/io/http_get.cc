#include "atelier/io/http_get.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "atelier/base/strings.h"
#include "atelier/io/curl.h"
#include "atelier/io/file.h"

namespace atelier::io {
namespace {

constexpr int kTries = 5;
constexpr size_t kMaxErrorText = 200;  // of a server's answer that is shown

// "https://host:8080/path" -> "https://host:8080".
std::string_view origin_of(std::string_view url) {
  const size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? url : url.substr(0, url.find_first_of("/?#", scheme + 3));
}

// One request and what came of it. The body goes to `take`, which refuses more by returning false.
class Transfer {
 public:
  Transfer(const Curl& curl, const HttpRequest& request, std::vector<std::string> headers)
      : curl_(curl), request_(request), handle_(curl.easy_init()) {
    headers.insert(headers.end(), request.headers.begin(), request.headers.end());
    for (const std::string& header : headers) list_ = curl_.slist_append(list_, header.c_str());
  }
  ~Transfer() {
    curl_.slist_free_all(list_);
    curl_.easy_cleanup(handle_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  std::function<bool(std::string_view)> take;      // of an answer with status 200 or 206
  std::function<bool(int64_t, int64_t)> progress;  // of this answer

  CURLcode run() {
    const auto set = [&](CURLoption option, auto value) { curl_.easy_setopt(handle_, option, value); };
    set(CURLOPT_URL, request_.url.c_str());
    set(CURLOPT_HTTPHEADER, list_);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, 10L);
    set(CURLOPT_CONNECTTIMEOUT, 20L);
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);  // bytes a second
    set(CURLOPT_LOW_SPEED_TIME, 60L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "atelier");
    if (request_.is_public_only) {
      set(CURLOPT_PROXY, "");
      set(CURLOPT_OPENSOCKETDATA, this);
      set(
          CURLOPT_OPENSOCKETFUNCTION,
          +[](void* self, curlsocktype, curl_sockaddr* address) { return static_cast<Transfer*>(self)->open_socket(*address); });
    }
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_WRITEDATA, this);
    set(
        CURLOPT_WRITEFUNCTION, +[](char* data, size_t, size_t count, void* self) {
          return static_cast<Transfer*>(self)->write({data, count}) ? count : size_t{0};
        });
    set(CURLOPT_HEADERDATA, this);
    set(
        CURLOPT_HEADERFUNCTION, +[](char* data, size_t, size_t count, void* self) {
          static_cast<Transfer*>(self)->read_header({data, count});
          return count;
        });
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, this);
    set(
        CURLOPT_XFERINFOFUNCTION, +[](void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
          const auto& report = static_cast<Transfer*>(self)->progress;
          return report && !report(now, total) ? 1 : 0;
        });
    return curl_.easy_perform(handle_);
  }

  long status() const {
    long status = 0;
    curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  const std::string& etag() const { return etag_; }

  // Why there is no body.
  Status error(CURLcode code) const {
    if (is_refused_)
      return Status::invalid(fmt::format("{}: leads to an address that is not of the public internet; it is not followed", request_.url));
    if (code != CURLE_OK && status() < 400) {
      return Status::io(
          fmt::format("{}: {}; check the address and the network", request_.url, *error_ != 0 ? error_ : curl_.easy_strerror(code)));
    }
    const char* next = status() == 401 || status() == 403 ? "it wants a token that may read it (HF_TOKEN)" : "check the address";
    return Status::not_found(fmt::format("{}: the server answers {}{}; {}", request_.url, status(),
                                         refusal_.empty() ? "" : " (" + printable(refusal_) + ")", next));
  }

 private:
  static std::string printable(std::string text) {
    for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? ' ' : c;
    return text;
  }
  curl_socket_t open_socket(const curl_sockaddr& address) {
    char* url = nullptr;  // of now, behind redirects
    curl_.easy_getinfo(handle_, CURLINFO_EFFECTIVE_URL, &url);
    const bool is_trusted = url != nullptr && !request_.trusted_origin.empty() && origin_of(url) == origin_of(request_.trusted_origin);
    if (!is_trusted && !is_public_address(address.addr)) {
      is_refused_ = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  }
  bool write(std::string_view data) {
    const long code = status();
    if (code == 200 || code == 206) return take(data);
    refusal_ += data.substr(0, kMaxErrorText - std::min(kMaxErrorText, refusal_.size()));
    return true;
  }
  void read_header(std::string_view line) {
    if (line.starts_with("HTTP/")) etag_.clear();  // of an answer that redirects
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equals_ignoring_case(line.substr(0, colon), "etag")) return;
    etag_ = trim_ascii(line.substr(colon + 1));
  }

  const Curl& curl_;
  const HttpRequest& request_;
  CURL* handle_;
  curl_slist* list_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  std::string etag_, refusal_;
  bool is_refused_ = false;
};

// The bytes of a download that are there, and the ETag of the file that they are from.
class PartFile {
 public:
  explicit PartFile(const std::string& path) : path_(path + ".part"), etag_path_(path + ".part.etag") {
    const auto size = file_size(path_);
    const auto etag = read_file(etag_path_, 1024);
    if (size.ok() && etag.ok() && !etag->empty()) {
      size_ = *size;
      etag_ = *etag;
    }
  }
  ~PartFile() { close(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  int64_t size() const { return size_; }
  std::vector<std::string> headers() const {
    if (size_ == 0) return {};
    return {fmt::format("Range: bytes={}-", size_), "If-Range: " + etag_};
  }

  // Before the first byte: goes on after what is there, or begins anew.
  Status open(bool continues, const std::string& etag) {
    close();
    file_ = std::fopen(path_.c_str(), continues ? "ab" : "wb");
    if (file_ == nullptr) return failure();
    if (continues) return {};
    size_ = 0;
    etag_ = etag.starts_with("W/") ? "" : etag;  // a weak one promises no equal bytes
    if (std::FILE* tag = std::fopen(etag_path_.c_str(), "wb")) {
      std::fwrite(etag_.data(), 1, etag_.size(), tag);
      std::fclose(tag);
    }
    return {};
  }
  bool is_open() const { return file_ != nullptr; }
  Status append(std::string_view data) {
    if (std::fwrite(data.data(), 1, data.size(), file_) != data.size()) return failure();
    size_ += static_cast<int64_t>(data.size());
    return {};
  }
  Status finish(const std::string& path) {
    if (file_ == nullptr && !is_file(path_)) {
      ATELIER_RETURN_IF_ERROR(open(false, ""));  // an empty file has no bytes
    }
    if (!close() || std::rename(path_.c_str(), path.c_str()) != 0) return failure();
    std::remove(etag_path_.c_str());
    return {};
  }
  void forget() { size_ = 0; }
  bool close() {
    if (file_ == nullptr) return true;
    return std::fclose(std::exchange(file_, nullptr)) == 0;
  }

 private:
  Status failure() const { return Status::io(fmt::format("{}: cannot be written: {}; check the disk", path_, std::strerror(errno))); }

  std::string path_, etag_path_, etag_;
  int64_t size_ = 0;
  std::FILE* file_ = nullptr;
};

bool is_worth_another_try(CURLcode code, long status) {
  if (status >= 500 || status == 416) return true;
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
         code == CURLE_OPERATION_TIMEDOUT || code == CURLE_HTTP2_STREAM;
}

// [first, first + 2^(32 - bits)) of IPv4, in the order of the host.
struct Network {
  uint32_t first;
  int bits;
};
// RFC 6890: this host, private use, shared, loopback, link-local, protocol assignments, documentation, benchmarking, groups, reserved.
constexpr Network kNotPublic[] = {{0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
                                  {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0A80000, 16}, {0xC6120000, 15},
                                  {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4}};

bool is_public(uint32_t address) {
  return std::none_of(std::begin(kNotPublic), std::end(kNotPublic),
                      [&](const Network& network) { return (address ^ network.first) >> (32 - network.bits) == 0; });
}

}  // namespace

bool is_public_address(const ::sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return is_public(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  const uint8_t* bytes = v6.sin6_addr.s6_addr;
  const auto low = uint32_t{bytes[12]} << 24 | uint32_t{bytes[13]} << 16 | uint32_t{bytes[14]} << 8 | bytes[15];
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return is_public(low);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return false;                                          // 6to4 carries any address
  if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8) return false;  // documentation
  if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02) return false;                       // protocol assignments, Teredo
  return (bytes[0] & 0xE0) == 0x20;                                                                // global unicast, RFC 4291
}

Result<std::string> http_get(const HttpRequest& request, int64_t limit_bytes) {
  ATELIER_TRY(const Curl* curl, the_curl());
  Transfer transfer(*curl, request, {});
  std::string body;
  bool is_too_long = false;
  transfer.take = [&](std::string_view data) {
    is_too_long = static_cast<int64_t>(body.size() + data.size()) > limit_bytes;
    if (!is_too_long) body += data;
    return !is_too_long;
  };
  const CURLcode code = transfer.run();
  if (is_too_long)
    return Status::out_of_range(fmt::format("{}: the answer has more than {} bytes; check the address", request.url, limit_bytes));
  if (code != CURLE_OK || transfer.status() != 200) return transfer.error(code);
  return body;
}

Status http_download(const HttpRequest& request, const std::string& path, const DownloadProgress& progress) {
  ATELIER_TRY(const Curl* curl, the_curl());
  PartFile part(path);
  for (int attempt = 1;; ++attempt) {
    Transfer transfer(*curl, request, part.headers());
    Status failed;
    bool is_stopped = false;
    int64_t total = 0;
    const auto goes_on = [&] {
      is_stopped = progress && !progress(part.size(), total);
      return !is_stopped;
    };
    transfer.take = [&](std::string_view data) {
      if (!part.is_open()) failed = part.open(transfer.status() == 206, transfer.etag());
      if (failed.ok()) failed = part.append(data);
      return failed.ok() && goes_on();
    };
    transfer.progress = [&](int64_t now, int64_t coming) {
      const int64_t before = part.size() - (part.is_open() ? now : 0);
      total = coming > 0 ? before + coming : 0;
      return goes_on();
    };
    const CURLcode code = transfer.run();
    part.close();
    if (is_stopped) return Status::cancelled(request.url + ": stopped; the same command goes on from here");
    if (!failed.ok()) return failed;
    if (code == CURLE_OK && (transfer.status() == 200 || transfer.status() == 206)) return part.finish(path);
    if (transfer.status() == 416 && part.size() > 0) part.forget();  // nothing lies behind what is there
    if (attempt == kTries || !is_worth_another_try(code, transfer.status())) return transfer.error(code);
    std::this_thread::sleep_for(std::chrono::milliseconds(100) * (1 << attempt));
  }
}

}  // namespace atelier::io
