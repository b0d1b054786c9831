// What a web server has, over http and https: small answers into memory, large files onto disk.
//
// Through libcurl (io/curl.h). Redirects are followed; headers of the caller's go to the first host only when they carry its token.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "atelier/base/status.h"

namespace atelier::io {

struct HttpRequest {
  std::string url;                        // http:// or https://
  std::vector<std::string> headers = {};  // "Authorization: Bearer ..."
};

// The body; refused when it is longer than `limit_bytes`.
Result<std::string> http_get(const HttpRequest& request, int64_t limit_bytes);

// Bytes that are there, and that there will be (0: not known). False stops the download: StatusCode::kCancelled.
using DownloadProgress = std::function<bool(int64_t done, int64_t total)>;

// The body as the file `path`. Bytes come to `path`.part; what an earlier call left there is continued, if the server still has the same
// file (ETag, If-Range; RFC 9110, 13.1.5 and 14.2), and so is a connection that breaks off, five times.
Status http_download(const HttpRequest& request, const std::string& path, const DownloadProgress& progress);

}  // namespace atelier::io
