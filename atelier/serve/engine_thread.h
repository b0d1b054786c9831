// The owner thread: loads and unloads the models, owns their engines and steps them in turn. All compute of the process is issued here;
// whoever has requests hands them over and hears of them through their hooks, which are called on this thread. No HTTP.
//
//   EngineThread engines({{"tiny", 4, load}}, {.max_queue = 64});
//   auto job = std::make_shared<Job>(model, requests);
//   if (engines.submit(job) == Admission::kQueueFull) ...      // else on_finish of each request is called exactly once
//   engines.cancel(job);                                       // from any thread: before the next step
//
// Without a bound on memory all models are loaded at the start. With one, the first is; others when a request wants() them, and what was
// not used for longest makes room. A model with requests, or that somebody holds a pointer to, is never unloaded.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "atelier/generate/engine.h"
#include "atelier/serve/served_model.h"

namespace atelier::serve {

// Requests that come and go together.
struct Job {
  Job(ServedModel& of_model, std::vector<generate::Request> of_requests)
      : model(of_model), keeps_model(of_model.shared_from_this()), requests(std::move(of_requests)) {}

  ServedModel& model;
  std::shared_ptr<ServedModel> keeps_model;
  std::vector<generate::Request> requests;  // handed to the engine in this order
  std::function<void()> on_start;           // of the owner thread, just before; may be empty

  // Of the owner thread, once they are handed over.
  using OnFinish = std::function<void(const Result<generate::Generation>&)>;
  std::vector<OnFinish> on_finish;  // by request; empty once it was called
  std::vector<generate::Engine::RequestId> ids;
};

enum class Admission { kAccepted, kQueueFull, kStopping };

class EngineThread {
 public:
  enum class State { kLoading, kReady, kFailed };  // failed: while loading at the start, or in a step

  struct Limits {
    int64_t max_queue = 64;    // requests of a model that wait beyond those that run
    int64_t memory_bytes = 0;  // of the models that are loaded at once; 0: no bound, all are loaded at the start
    double keep_alive_s = -1;  // a model unused for so long is unloaded; below 0: never for that reason
  };

  EngineThread(std::vector<ModelSource> sources, const Limits& limits);
  ~EngineThread();  // cancels what runs

  State state() const;
  Status wait_until_loaded();  // the error of a model that could not be loaded at the start

  // All models, in the order of the sources.
  struct Known {
    std::string name;
    int64_t since_s = 0;                 // Unix time when it began to be served
    int64_t bytes = 0;                   // of memory, once it is loaded
    std::shared_ptr<ServedModel> model;  // null while it is not loaded
    std::optional<double> expires_s;     // from now, when it will be unloaded if nobody asks
  };
  std::vector<Known> known() const;

  // The loaded model of a name or an alias; the empty name is that of the only model there is. Null when there is none: `failure` says
  // whether it could not be loaded.
  std::shared_ptr<ServedModel> find(const std::string& name, Status* failure = nullptr) const;

  enum class Presence { kHere, kComing, kUnknown, kQueueFull };
  // Makes sure of a model. kHere: `model` holds it. kComing: it is being loaded, or its turn has to come; `then` is called on this thread
  // when it is there or has failed.
  Presence want(const std::string& name, std::shared_ptr<ServedModel>& model, std::function<void()> then);
  // How long this model is kept from now on (Limits::keep_alive_s).
  void set_keep_alive(const std::string& name, double seconds);

  Admission submit(std::shared_ptr<Job> job);
  void cancel(std::shared_ptr<Job> job);
  // A paused job takes part in no step: whoever it talks to has not read what there is.
  void set_paused(std::shared_ptr<Job> job, bool is_paused);
  // Runs a task on this thread, between two steps: what computes and is no request. It is not run when the thread stops before.
  Admission run_between_steps(std::function<void()> task);
  int64_t num_active() const;  // requests that were accepted and have not ended

  struct ModelMetrics {
    std::string name;
    generate::EngineMetrics engine;
    double busy_s = 0;  // in steps
  };
  std::vector<ModelMetrics> metrics() const;

  void stop();  // takes no more; cancels what runs and returns when all has ended

 private:
  using Clock = std::chrono::steady_clock;
  struct Slot {  // one model
    ModelSource source;
    std::shared_ptr<ServedModel> model;
    Status load_failure;  // of the last try
    int64_t since_s = 0;
    int64_t num_active = 0;
    double keep_alive_s = -1;
    Clock::time_point last_used;
    std::vector<std::shared_ptr<Job>> running;  // of the owner thread, like the next
    Status failure;                             // of a step, which should not happen: from then on every request gets it
    ModelMetrics metrics;
  };
  struct Command {
    enum class Kind { kStart, kCancel, kPause, kResume, kTask } kind;
    std::shared_ptr<Job> job;
    std::function<void()> task = {};
  };
  struct Waiting {  // for a model
    Slot* slot;
    std::function<void()> then;
  };
  static constexpr size_t kMaxCommands = 1024;  // that wait; tasks beyond are refused

  void run();
  Status load_first();
  Status load(Slot& slot);
  void serve();
  void take_commands();
  void serve_waiting();
  bool make_room(const Slot& wanted);
  void unload_expired();
  void unload(Slot& slot);
  bool is_idle(const Slot& slot) const;
  std::optional<Clock::time_point> expiry(const Slot& slot) const;
  std::optional<Clock::time_point> next_wake() const;

  void push(Command command);
  void start(const std::shared_ptr<Job>& job);
  void cancel_now(Job& job);
  void step(Slot& slot);
  void finish(Slot& slot, Job& job, size_t index, const Result<generate::Generation>& generation);
  bool has_work(const Slot& slot) const;
  Slot& slot_of(const ServedModel& model);
  const Slot* slot_of(const std::string& name) const;

  const Limits limits_;
  std::vector<Slot> slots_;   // never grows: of the owner thread, save what the mutex guards
  mutable std::mutex mutex_;  // guards what follows, and of each slot model, load_failure, num_active, keep_alive_s, last_used and metrics
  std::condition_variable changed_;
  State state_ = State::kLoading;
  Status load_status_;
  std::deque<Command> commands_;
  std::deque<Waiting> waiting_;  // first come, first served: a model in use does not keep out for ever one that has no room
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace atelier::serve
