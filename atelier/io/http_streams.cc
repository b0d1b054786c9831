#include "atelier/io/http_streams.h"

#include <fmt/format.h>

#include <algorithm>

#include "atelier/io/curl.h"

namespace atelier::io {
namespace {

class CurlStreams final : public HttpStreams {
 public:
  explicit CurlStreams(const Curl& curl) : curl_(curl), multi_(curl.multi_init()) {}
  CurlStreams(const CurlStreams&) = delete;
  CurlStreams& operator=(const CurlStreams&) = delete;
  ~CurlStreams() override {
    while (!open_.empty()) close(open_.begin());
    curl_.multi_cleanup(multi_);
  }

  void start(Request request, Hooks hooks) override;
  int64_t num_open() const override { return static_cast<int64_t>(open_.size()); }
  Status run(double seconds) override;

 private:
  struct Stream {
    Request request;
    Hooks hooks;
    CURL* handle = nullptr;
    curl_slist* headers = nullptr;
    char error[CURL_ERROR_SIZE] = {};
    bool has_left = false;
  };
  using Open = std::list<Stream>;

  Result<int> outcome(const Stream& stream, CURLcode code) const;
  void close(Open::iterator stream);

  const Curl& curl_;
  CURLM* multi_;
  Open open_;  // a list: libcurl holds addresses of its elements
};

void CurlStreams::start(Request request, Hooks hooks) {
  Stream& stream = open_.emplace_back();
  stream.request = std::move(request);
  stream.hooks = std::move(hooks);
  stream.handle = curl_.easy_init();
  for (const std::string& header : stream.request.headers) stream.headers = curl_.slist_append(stream.headers, header.c_str());
  const auto set = [&](CURLoption option, auto value) { curl_.easy_setopt(stream.handle, option, value); };
  set(CURLOPT_URL, stream.request.url.c_str());
  set(CURLOPT_HTTPHEADER, stream.headers);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CONNECTTIMEOUT, 20L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "atelier");
  set(CURLOPT_ERRORBUFFER, stream.error);
  if (!stream.request.ca_file.empty()) set(CURLOPT_CAINFO, stream.request.ca_file.c_str());
  if (!stream.request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(stream.request.body.size()));
    set(CURLOPT_POSTFIELDS, stream.request.body.c_str());
  }
  set(CURLOPT_WRITEDATA, &stream);
  set(
      CURLOPT_WRITEFUNCTION, +[](char* data, size_t, size_t count, void* self) {
        auto& to = *static_cast<Stream*>(self);
        to.has_left = !to.hooks.on_bytes({data, count});
        return to.has_left ? size_t{0} : count;
      });
  curl_.multi_add_handle(multi_, stream.handle);
}

Result<int> CurlStreams::outcome(const Stream& stream, CURLcode code) const {
  if (stream.has_left) return Status::cancelled("left before the end");
  if (code != CURLE_OK) {
    return Status::io(fmt::format("{}: {}; check the address and the server", stream.request.url,
                                  *stream.error != 0 ? stream.error : curl_.easy_strerror(code)));
  }
  long status = 0;
  curl_.easy_getinfo(stream.handle, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

void CurlStreams::close(Open::iterator stream) {
  curl_.multi_remove_handle(multi_, stream->handle);
  curl_.easy_cleanup(stream->handle);
  curl_.slist_free_all(stream->headers);
  open_.erase(stream);
}

Status CurlStreams::run(double seconds) {
  int count = 0;
  CURLMcode code = curl_.multi_poll(multi_, nullptr, 0, static_cast<int>(std::max(0.0, seconds) * 1000), &count);
  if (code == CURLM_OK) code = curl_.multi_perform(multi_, &count);
  if (code != CURLM_OK) return Status::io(fmt::format("http: libcurl fails ({}); try again", static_cast<int>(code)));
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &count)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto ended =
        std::find_if(open_.begin(), open_.end(), [&](const Stream& stream) { return stream.handle == message->easy_handle; });
    const Result<int> result = outcome(*ended, message->data.result);
    const auto on_end = std::move(ended->hooks.on_end);
    close(ended);
    on_end(result);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<HttpStreams>> HttpStreams::create() {
  ATELIER_TRY(const Curl* curl, the_curl());
  return std::unique_ptr<HttpStreams>(std::make_unique<CurlStreams>(*curl));
}

}  // namespace atelier::io
