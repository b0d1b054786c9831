// A server on the tiny golden model (256 tokens of context unless more is asked for), for tests over a socket.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "atelier/serve/engine_thread.h"
#include "atelier/serve/http/server.h"
#include "atelier/serve/service.h"
#include "tests/support/http_client.h"

namespace atelier::serve {

inline const std::string kTinyModel = ATELIER_SOURCE_DIR "/tests/golden/models/smollm2";

inline Result<LoadedModel> load_tiny(int64_t max_sequences, const std::string& model = kTinyModel, int64_t context = 0) {
  LoadedModel loaded;
  ATELIER_TRY(loaded.model, models::load_model(model, {.context = context}));
  if (loaded.model->is_encoder()) return loaded;
  ATELIER_TRY(loaded.engine, generate::Engine::create(*loaded.model, {.max_sequences = max_sequences}));
  return loaded;
}

class TestServer {
 public:
  struct Options {
    ServiceOptions service = {};
    http::ServerOptions http = {};
    int64_t max_sequences = 4, max_queue = 16;
    std::string model = kTinyModel;
    int64_t context = 0;                         // 0: the model's own
    std::vector<std::string> models = {"tiny"};  // all the same one
    int64_t model_bytes = 0, memory_bytes = 0;
  };
  TestServer() : TestServer(Options{}) {}
  explicit TestServer(Options options)
      : engines_(sources(options), {.max_queue = options.max_queue, .memory_bytes = options.memory_bytes}) {
    auto service = Service::create(engines_, std::move(options.service));
    EXPECT_TRUE(service.ok()) << service.status().message();
    service_ = std::move(*service);
    options.http.port = 0;
    auto server = http::Server::listen(options.http, service_->callbacks());
    EXPECT_TRUE(server.ok()) << server.status().message();
    server_ = std::move(*server);
    EXPECT_TRUE(engines_.wait_until_loaded().ok());
  }
  ~TestServer() {
    server_->stop();
    engines_.stop();
  }

  int port() const { return server_->port(); }
  EngineThread& engines() { return engines_; }
  http::Server& http() { return *server_; }
  testing::HttpAnswer get(const std::string& path, const std::string& headers = "") {
    return testing::HttpClient(port()).get(path, headers);
  }
  testing::HttpAnswer post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return testing::HttpClient(port()).post(path, body, headers);
  }
  // True once nothing is being computed any more.
  bool becomes_idle(double patience_s = 10) {
    for (double waited = 0; waited < patience_s; waited += 0.01) {
      if (engines_.num_active() == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  static std::vector<ModelSource> sources(const Options& options) {
    std::vector<ModelSource> all;
    for (const std::string& name : options.models) {
      const auto load = [n = options.max_sequences, model = options.model, context = options.context] {
        return load_tiny(n, model, context);
      };
      all.push_back({name, options.max_sequences, load, options.model_bytes});
    }
    return all;
  }

  EngineThread engines_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace atelier::serve
