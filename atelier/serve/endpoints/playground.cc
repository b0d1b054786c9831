// GET /: the playground, one page that is built from web/ and loads nothing from elsewhere.
#include <string_view>

#include "atelier/serve/endpoint.h"

namespace atelier::serve {

std::string_view playground_page();  // web/dist/index.html

namespace {

// The page's scripts and styles stand in it; it may talk to this server alone, and no other page may frame it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::optional<ApiError> handle(Call& call) {
  call.reply->send({200,
                    {{"Content-Type", "text/html; charset=utf-8"},
                     {"Content-Security-Policy", kPolicy},
                     {"X-Content-Type-Options", "nosniff"},
                     {"Referrer-Policy", "no-referrer"},
                     {"Cache-Control", "no-cache"}},
                    std::string(playground_page())});
  return std::nullopt;
}

}  // namespace

extern const EndpointDef endpoint_playground;
const EndpointDef endpoint_playground = {"GET", "/", Shape::kOpenAi, true, handle};

}  // namespace atelier::serve
