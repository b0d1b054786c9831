#include "atelier/serve/engine_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "atelier/base/log.h"

namespace atelier::serve {

EngineThread::EngineThread(std::vector<ModelSource> sources, const Limits& limits) : limits_(limits) {
  for (ModelSource& source : sources) {
    slots_.emplace_back();
    slots_.back().metrics.name = source.name;
    slots_.back().source = std::move(source);
  }
  thread_ = std::thread([this] { run(); });
}

EngineThread::~EngineThread() { stop(); }

EngineThread::State EngineThread::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Status EngineThread::wait_until_loaded() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return state_ != State::kLoading; });
  return load_status_;
}

std::vector<ServedModel*> EngineThread::models() const {
  std::vector<ServedModel*> models;
  if (state() == State::kLoading || !load_status_.ok()) return models;
  for (const Slot& slot : slots_) models.push_back(slot.model.get());
  return models;
}

ServedModel* EngineThread::find(const std::string& name) const {
  for (ServedModel* model : models()) {
    if (model->name() == name) return model;
  }
  return nullptr;
}

EngineThread::Slot& EngineThread::slot_of(const ServedModel& model) {
  return *std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.model.get() == &model; });
}

Admission EngineThread::submit(std::shared_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return Admission::kStopping;
  Slot& slot = slot_of(job->model);
  const auto count = static_cast<int64_t>(job->requests.size());
  if (slot.num_active > 0 && slot.num_active + count > slot.source.max_sequences + limits_.max_queue) return Admission::kQueueFull;
  slot.num_active += count;
  commands_.push_back({std::move(job)});
  changed_.notify_all();
  return Admission::kAccepted;
}

void EngineThread::cancel(std::shared_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  commands_.push_back({std::move(job), true});
  changed_.notify_all();
}

Admission EngineThread::run_between_steps(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return Admission::kStopping;
  if (commands_.size() >= kMaxCommands) return Admission::kQueueFull;
  commands_.push_back({nullptr, false, std::move(task)});
  changed_.notify_all();
  return Admission::kAccepted;
}

int64_t EngineThread::num_active() const {
  const std::lock_guard lock(mutex_);
  int64_t count = 0;
  for (const Slot& slot : slots_) count += slot.num_active;
  return count;
}

std::vector<EngineThread::ModelMetrics> EngineThread::metrics() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModelMetrics> all;
  for (const Slot& slot : slots_) all.push_back(slot.metrics);
  return all;
}

void EngineThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void EngineThread::run() {
  Status status;
  try {
    status = load();
  } catch (const std::exception& error) {
    status = Status::out_of_range(fmt::format("model: {}, it could not be loaded; use a smaller one or a smaller --context", error.what()));
  }
  {
    const std::lock_guard lock(mutex_);
    state_ = status.ok() ? State::kReady : State::kFailed;
    load_status_ = status;
    changed_.notify_all();
  }
  if (status.ok()) serve();
}

Status EngineThread::load() {
  for (Slot& slot : slots_) {
    ATELIER_TRY(LoadedModel loaded, slot.source.load());
    ATELIER_TRY(slot.model, ServedModel::create(slot.source.name, std::move(loaded)));
  }
  return {};
}

bool EngineThread::has_work(const Slot& slot) const { return slot.failure.ok() && slot.model->engine().has_work(); }

void EngineThread::serve() {
  const auto is_busy = [&](const Slot& slot) { return has_work(slot); };
  while (true) {
    std::deque<Command> commands;
    bool is_stopping = false;
    {
      std::unique_lock lock(mutex_);
      if (std::none_of(slots_.begin(), slots_.end(), is_busy)) {
        changed_.wait(lock, [&] { return is_stopping_ || !commands_.empty(); });
      }
      commands.swap(commands_);
      is_stopping = is_stopping_;
    }
    for (const Command& command : commands) {
      if (command.task) {
        command.task();
      } else if (command.is_cancel) {
        cancel_now(*command.job);
      } else {
        start(command.job);
      }
    }
    for (Slot& slot : slots_) {
      if (is_stopping) {
        for (const auto& job : std::vector(slot.running)) cancel_now(*job);
      }
      if (has_work(slot)) step(slot);
    }
    if (is_stopping && std::none_of(slots_.begin(), slots_.end(), is_busy)) return;
  }
}

void EngineThread::start(const std::shared_ptr<Job>& job) {
  Slot& slot = slot_of(job->model);
  slot.running.push_back(job);
  if (const auto on_start = std::exchange(job->on_start, {})) on_start();
  for (generate::Request& request : job->requests) job->on_finish.push_back(std::exchange(request.hooks.on_finish, {}));
  for (size_t i = 0; i < job->requests.size(); ++i) {
    if (!slot.failure.ok()) {
      finish(slot, *job, i, slot.failure);
      continue;
    }
    job->requests[i].hooks.on_finish = [this, &slot, job, i](const Result<generate::Generation>& generation) {
      finish(slot, *job, i, generation);
    };
    const auto id = slot.model->engine().submit(std::move(job->requests[i]));
    if (id.ok()) {
      job->ids.push_back(*id);
    } else {
      finish(slot, *job, i, id.status());
    }
  }
}

void EngineThread::cancel_now(Job& job) {
  for (const auto id : job.ids) job.model.engine().cancel(id);
}

void EngineThread::finish(Slot& slot, Job& job, size_t index, const Result<generate::Generation>& generation) {
  const auto on_finish = std::exchange(job.on_finish[index], {});
  if (!on_finish) return;
  {
    const std::lock_guard lock(mutex_);
    --slot.num_active;
  }
  on_finish(generation);
  if (std::any_of(job.on_finish.begin(), job.on_finish.end(), [](const Job::OnFinish& left) { return static_cast<bool>(left); })) return;
  std::erase_if(slot.running, [&](const auto& running) { return running.get() == &job; });
}

void EngineThread::step(Slot& slot) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    slot.failure = slot.model->engine().step();
  } catch (const std::exception& error) {
    slot.failure = {StatusCode::kIo, fmt::format("internal: {}, this should not happen; please report it", error.what())};
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  {
    const std::lock_guard lock(mutex_);
    slot.metrics.engine = slot.model->engine().metrics();
    slot.metrics.busy_s += seconds;
    if (!slot.failure.ok()) state_ = State::kFailed;
  }
  if (slot.failure.ok()) return;
  log(LogLevel::kError, fmt::format("{}: {}", slot.source.name, slot.failure.message()));
  for (const auto& job : std::vector(slot.running)) {
    for (size_t i = 0; i < job->on_finish.size(); ++i) finish(slot, *job, i, slot.failure);
  }
}

}  // namespace atelier::serve
