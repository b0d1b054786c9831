// What a web server has, over http and https: small answers into memory, large files onto disk.
//
// Through libcurl (io/curl.h). Redirects are followed; headers of the caller's go to the first host only when they carry its token.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "atelier/base/status.h"

struct sockaddr;

namespace atelier::io {

struct HttpRequest {
  std::string url;                        // http:// or https://
  std::vector<std::string> headers = {};  // "Authorization: Bearer ..."
  // Connects to addresses of the public internet only, also where a redirect or a name leads elsewhere, and through no proxy; save to
  // `trusted_origin` ("http://hub.local:8080"). For addresses that somebody else names.
  bool is_public_only = false;
  std::string trusted_origin = {};
};

// Whether an address of a socket is one of the public internet: not of this machine, a private network, a link or a group.
bool is_public_address(const ::sockaddr& address);

// The body; refused when it is longer than `limit_bytes`.
Result<std::string> http_get(const HttpRequest& request, int64_t limit_bytes);

// Bytes that are there, and that there will be (0: not known). False stops the download: StatusCode::kCancelled.
using DownloadProgress = std::function<bool(int64_t done, int64_t total)>;

// The body as the file `path`. Bytes come to `path`.part; what an earlier call left there is continued, if the server still has the same
// file (ETag, If-Range; RFC 9110, 13.1.5 and 14.2), and so is a connection that breaks off, five times.
Status http_download(const HttpRequest& request, const std::string& path, const DownloadProgress& progress);

}  // namespace atelier::io
