// The owner thread: loads the models, owns their engines and steps them in turn. All compute of the process is issued here; whoever has
// requests hands them over and hears of them through their hooks, which are called on this thread. No HTTP.
//
//   EngineThread engines({{"tiny", 4, load}}, {.max_queue = 64});
//   auto job = std::make_shared<Job>(model, requests);
//   if (engines.submit(job) == Admission::kQueueFull) ...      // else on_finish of each request is called exactly once
//   engines.cancel(job);                                       // from any thread: before the next step
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "atelier/generate/engine.h"
#include "atelier/serve/served_model.h"

namespace atelier::serve {

// Requests that come and go together.
struct Job {
  Job(ServedModel& of_model, std::vector<generate::Request> of_requests) : model(of_model), requests(std::move(of_requests)) {}

  ServedModel& model;
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
  enum class State { kLoading, kReady, kFailed };  // failed: while loading, or in a step

  struct Limits {
    int64_t max_queue = 64;  // requests of a model that wait beyond those that run
  };

  EngineThread(std::vector<ModelSource> sources, const Limits& limits);
  ~EngineThread();  // cancels what runs

  State state() const;
  Status wait_until_loaded();  // the error of the model that could not be loaded
  // In the order of the sources; empty before they are loaded.
  std::vector<ServedModel*> models() const;
  // By its name; null when there is none.
  ServedModel* find(const std::string& name) const;

  Admission submit(std::shared_ptr<Job> job);
  void cancel(std::shared_ptr<Job> job);
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
  struct Slot {  // one model
    ModelSource source;
    std::unique_ptr<ServedModel> model;
    int64_t num_active = 0;
    std::vector<std::shared_ptr<Job>> running;  // of the owner thread, like the next
    Status failure;                             // of a step, which should not happen: from then on every request gets it
    ModelMetrics metrics;
  };
  struct Command {  // a job to start or to cancel, or a task
    std::shared_ptr<Job> job;
    bool is_cancel = false;
    std::function<void()> task = {};
  };
  static constexpr size_t kMaxCommands = 1024;  // that wait; tasks beyond are refused

  void run();
  Status load();
  void serve();
  void start(const std::shared_ptr<Job>& job);
  void cancel_now(Job& job);
  void step(Slot& slot);
  void finish(Slot& slot, Job& job, size_t index, const Result<generate::Generation>& generation);
  bool has_work(const Slot& slot) const;
  Slot& slot_of(const ServedModel& model);

  const Limits limits_;
  std::vector<Slot> slots_;   // never grows: of the owner thread, save what the mutex guards
  mutable std::mutex mutex_;  // guards state_, commands_, is_stopping_ and each slot's num_active and metrics
  std::condition_variable changed_;
  State state_ = State::kLoading;
  Status load_status_;
  std::deque<Command> commands_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace atelier::serve
