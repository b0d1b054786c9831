// `atelier serve MODEL...`: an HTTP server in the shapes that clients know (docs/guide/serve.md).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <ostream>
#include <set>
#include <thread>

#include "atelier/base/json.h"
#include "atelier/base/log.h"
#include "atelier/base/strings.h"
#include "atelier/cli/engine_options.h"
#include "atelier/cli/interrupt.h"
#include "atelier/cli/model_options.h"
#include "atelier/io/file.h"
#include "atelier/models/store.h"
#include "atelier/serve/engine_thread.h"
#include "atelier/serve/http/server.h"
#include "atelier/serve/ollama_words.h"
#include "atelier/serve/service.h"

namespace atelier::cli {
namespace {

struct ServeArgs {
  std::vector<std::string> models, names, aliases;
  bool serves_store = false;
  ModelOptions model;
  EngineArgs engine;
  std::string host = "127.0.0.1";
  int64_t port = 8080, parallel = 8, queue = 64;
  std::optional<std::string> key_file, certificate, key, access_log;
  std::vector<std::string> hosts, origins;
  bool allow_admin = false, logs_text = false;
  int64_t max_connections = 1024;
  int64_t requests_per_minute = 0;
  double grace_s = 30;
  std::optional<std::string> memory, keep_alive;
};

// "~/models/tiny.gguf" -> "tiny"; the name of a model of the store as it is, and a folder's file by its folder.
std::string name_of_model(const std::string& model) {
  std::string name = io::name_of(model);
  if (name.ends_with(".gguf")) name.resize(name.size() - 5);
  return name == "model" && io::folder_of(model) != "." ? io::name_of(io::folder_of(model)) : name;
}

// The NAME=MODEL of --alias.
Status add_aliases(const std::vector<std::string>& aliases, std::vector<serve::ModelSource>& sources) {
  std::set<std::string> taken;
  for (const serve::ModelSource& source : sources) taken.insert(source.name);
  for (const std::string& text : aliases) {
    const size_t equals = text.find('=');
    const std::string alias = text.substr(0, equals), name = equals == std::string::npos ? "" : text.substr(equals + 1);
    const auto source = std::find_if(sources.begin(), sources.end(), [&](const serve::ModelSource& known) { return known.name == name; });
    if (alias.empty() || source == sources.end())
      return Status::invalid(fmt::format("--alias: {}, must be NAME=MODEL of a model that is served; correct it", quoted(text)));
    if (!taken.insert(alias).second) return Status::invalid(fmt::format("--alias: {}, the name is taken; choose another", quoted(alias)));
    source->aliases.push_back(alias);
  }
  return {};
}

// What the models may take together, and that each of them fits.
Result<int64_t> memory_bound(const ServeArgs& args, std::vector<serve::ModelSource>& sources) {
  if (!args.memory) return 0;
  const auto bound = parse_bytes(*args.memory);
  if (!bound || *bound == 0 || *bound > INT64_MAX)
    return Status::invalid(fmt::format("--memory: {}, must be a size such as 512M or 4G; correct it", quoted(*args.memory)));
  for (size_t i = 0; i < sources.size(); ++i) {
    ModelOptions options = args.model;
    options.model = args.models[i];
    ATELIER_TRY(const auto model, options.load_to_look_at());
    ATELIER_TRY(sources[i].bytes, args.engine.planned_bytes(*model, args.parallel));
    if (static_cast<uint64_t>(sources[i].bytes) <= *bound) continue;
    return Status::invalid(
        fmt::format("--memory: {}, {} takes {} with the keys and values of its contexts; give more, or a smaller --context, "
                    "--parallel or --kv-memory",
                    *args.memory, sources[i].name, human_bytes(static_cast<uint64_t>(sources[i].bytes))));
  }
  return static_cast<int64_t>(*bound);
}

// Seconds of --keep-alive; below 0: for ever.
Result<double> keep_alive_s(const ServeArgs& args) {
  if (!args.keep_alive) return -1;
  Json given = Json::object().set("keep_alive", *args.keep_alive);
  const auto seconds = serve::ollama_keep_alive(given);
  if (!seconds.ok()) return Status::invalid("--" + seconds.status().message());
  return **seconds;
}

Result<std::vector<serve::ModelSource>> sources(ServeArgs& args) {
  if (args.serves_store) {
    for (const models::StoredModel& stored : models::stored_models()) args.models.push_back(stored.name);
  }
  if (args.models.empty()) return Status::invalid("MODEL: missing, atelier serve needs one; name it, or give --store");
  if (args.engine.has_draft() && args.models.size() > 1)
    return Status::invalid("--draft: given with several models, one is expected; leave the others out");
  if (args.names.size() > args.models.size()) {
    return Status::invalid(fmt::format("--name: {} of them for {} models, at most one each is expected; leave some out", args.names.size(),
                                       args.models.size()));
  }
  std::vector<serve::ModelSource> sources;
  std::set<std::string> taken;
  for (size_t i = 0; i < args.models.size(); ++i) {
    ATELIER_TRY([[maybe_unused]] const std::string path, models::resolve_model_path(args.models[i]));
    const std::string name = i < args.names.size() ? args.names[i] : name_of_model(args.models[i]);
    if (!taken.insert(name).second)
      return Status::invalid(fmt::format("MODEL: two are called {}; tell them apart with --name", quoted(name)));
    const auto load = [&args, model = args.models[i]]() -> Result<serve::LoadedModel> {
      ModelOptions options = args.model;
      options.model = model;
      serve::LoadedModel loaded;
      ATELIER_TRY(loaded.model, options.load());
      if (!loaded.model->is_encoder()) {
        ATELIER_TRY(loaded.engine, args.engine.create(*loaded.model, options, args.parallel));
      }
      return loaded;
    };
    sources.push_back({name, args.parallel, load});
  }
  ATELIER_RETURN_IF_ERROR(add_aliases(args.aliases, sources));
  return sources;
}

Result<std::function<void(const std::string&)>> open_access_log(const std::optional<std::string>& path) {
  if (!path) return std::function<void(const std::string&)>();
  std::FILE* file = *path == "-" ? stdout : std::fopen(path->c_str(), "ae");
  if (file == nullptr) return Status::io(fmt::format("--access-log: {}, cannot be written; check its folder", quoted(*path)));
  const std::shared_ptr<std::FILE> owned(file, [](std::FILE* f) { f == stdout ? std::fflush(f) : std::fclose(f); });
  return std::function<void(const std::string&)>([owned](const std::string& line) {
    std::fprintf(owned.get(), "%s\n", line.c_str());
    std::fflush(owned.get());
  });
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

Status run(ServeArgs& args, Console& console) {
  ATELIER_TRY(std::vector<serve::ModelSource> models, sources(args));
  serve::ServiceOptions options;
  if (args.key_file) {
    ATELIER_TRY(options.keys, serve::ApiKeys::read(*args.key_file));
  }
  const bool is_open = options.keys.empty();
  options.allow_admin = args.allow_admin;
  options.hosts = args.hosts;
  options.hosts.push_back(to_lower_ascii(args.host));
  options.origins = args.origins;
  options.requests_per_minute = args.requests_per_minute;
  if (args.logs_text && !args.access_log) return Status::invalid("--access-log-text: goes with --access-log; name its file");
  options.logs_bodies = args.logs_text;
  ATELIER_TRY(options.access_log, open_access_log(args.access_log));

  serve::http::ServerOptions http;
  http.host = args.host;
  http.port = static_cast<int>(args.port);
  http.tls_certificate = args.certificate.value_or("");
  http.tls_key = args.key.value_or("");
  http.max_connections = args.max_connections;
  http.grace_s = args.grace_s;

  // In this order: the server is destroyed before the engines, whose hooks write to it, and stopped before them.
  serve::EngineThread::Limits limits = {.max_queue = args.queue};
  ATELIER_TRY(limits.memory_bytes, memory_bound(args, models));
  ATELIER_TRY(limits.keep_alive_s, keep_alive_s(args));
  serve::EngineThread engines(std::move(models), limits);
  ATELIER_TRY(const auto service, serve::Service::create(engines, std::move(options)));
  ATELIER_TRY(const auto server, serve::http::Server::listen(http, service->callbacks()));
  const std::string url = fmt::format("{}://{}:{}", args.certificate ? "https" : "http",
                                      args.host.find(':') == std::string::npos ? args.host : "[" + args.host + "]", server->port());
  if (!is_loopback(args.host) && is_open) {
    log(LogLevel::kWarning,
        fmt::format("serve: {} can be reached from other machines and asks for NO KEY: whoever reaches it may use it; give --api-key-file",
                    url));
  }
  ATELIER_RETURN_IF_ERROR(engines.wait_until_loaded());
  std::vector<std::string> names;
  for (const auto& known : engines.known()) names.push_back(known.name);
  console.err << fmt::format("atelier: serving {} at {} (Ctrl-C stops)\n", join(names, ", "), url) << std::flush;
  if (console.is_json) {
    console.out << Json::object().set("url", url).set("models", Json::Array(names.begin(), names.end())).dump() << std::endl;
  }
  while (!is_interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  console.err << "atelier: stopping: answers under way may end\n" << std::flush;
  server->stop();
  engines.stop();
  return {};
}

CommandBody declare(Args& args) {
  auto options = std::make_shared<ServeArgs>();
  args.positional("MODEL", options->models, "models to serve: .gguf files, folders in Hugging Face layout, or names in the model store",
                  Args::Presence::kOptional);
  args.group("Server (docs/guide/serve.md)");
  args.option("--host", options->host, "ADDRESS", "where to listen; 0.0.0.0 lets other machines in");
  args.option("-p,--port", options->port, "N", "0: any that is free", {0, 65535});
  args.option("--name", options->names, "NAME", "by which clients ask for a model, one each in their order (default: the file's)");
  args.flag("--store", options->serves_store, "serve every model of the store, besides those that are named");
  args.option("--alias", options->aliases, "NAME=MODEL", "another name for a model that is served; repeatable");
  args.option("--memory", options->memory, "SIZE",
              "of all models that are loaded at once, such as 4G: others are loaded when they are asked for, and make room for each other "
              "(default: all are loaded at the start)");
  args.option("--keep-alive", options->keep_alive, "TIME", "unload a model that nobody asked for so long, such as 5m (default: never)");
  args.option("--parallel", options->parallel, "N", "answers that are written together, of each model", {1, 1024});
  args.option("--queue", options->queue, "N", "requests that may wait beyond those; others get status 429", {0, 100'000});
  args.option("--api-key-file", options->key_file, "FILE", "clients must show one of these keys, one a line");
  args.option("--tls-cert", options->certificate, "FILE", "certificate chain in PEM: https");
  args.option("--tls-key", options->key, "FILE", "its private key in PEM");
  args.flag("--allow-admin", options->allow_admin, "without a key too: load adapters, bring and delete models");
  args.option("--allow-host", options->hosts, "NAME", "a name under which clients reach this machine; repeatable");
  args.option("--allow-origin", options->origins, "ORIGIN", "a site whose pages may ask, such as https://example.org; repeatable");
  args.option("--access-log", options->access_log, "FILE", "a line of JSON for each request, without its text; - is stdout");
  args.flag("--access-log-text", options->logs_text, "in that log, a line more for each request with the text that it brings");
  args.option("--max-connections", options->max_connections, "N", "others are turned away", {1, 100'000});
  args.option("--rate-limit", options->requests_per_minute, "N",
              "POST requests a minute of each key, of each address where there are no keys; others get status 429; 0: no limit",
              {0, 1'000'000});
  args.option("--grace", options->grace_s, "S", "seconds that answers may go on when the server is stopped", {0, 3600});
  options->model.declare_without_model(args);
  options->engine.declare(args);
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

extern const CommandDef command_serve;
const CommandDef command_serve = {"serve", "serve", "answer over HTTP in OpenAI's shape", "atelier serve smollm2-135m-instruct --port 8080",
                                  declare};

}  // namespace atelier::cli
