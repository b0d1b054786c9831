#include "atelier/serve/engine_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "atelier/base/log.h"

namespace atelier::serve {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(20);  // between looks at whether a model has become idle

std::chrono::steady_clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

EngineThread::EngineThread(std::vector<ModelSource> sources, const Limits& limits) : limits_(limits) {
  for (ModelSource& source : sources) {
    slots_.emplace_back();
    slots_.back().metrics.name = source.name;
    slots_.back().keep_alive_s = limits.keep_alive_s;
    slots_.back().since_s = std::time(nullptr);
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

std::vector<EngineThread::Known> EngineThread::known() const {
  const std::lock_guard lock(mutex_);
  std::vector<Known> all;
  for (const Slot& slot : slots_) {
    Known known{slot.source.name, slot.since_s, slot.source.bytes, slot.model, {}};
    if (const auto end = expiry(slot)) known.expires_s = std::max(0.0, std::chrono::duration<double>(*end - Clock::now()).count());
    all.push_back(std::move(known));
  }
  return all;
}

const EngineThread::Slot* EngineThread::slot_of(const std::string& name) const {
  if (name.empty() && slots_.size() == 1) return slots_.data();
  for (const Slot& slot : slots_) {
    const auto& aliases = slot.source.aliases;
    if (slot.source.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end()) return &slot;
  }
  return nullptr;
}

std::shared_ptr<ServedModel> EngineThread::find(const std::string& name, Status* failure) const {
  const std::lock_guard lock(mutex_);
  const Slot* slot = slot_of(name);
  if (slot == nullptr) return nullptr;
  if (failure != nullptr) *failure = slot->load_failure;
  return slot->model;
}

EngineThread::Presence EngineThread::want(const std::string& name, std::shared_ptr<ServedModel>& model, std::function<void()> then) {
  const std::lock_guard lock(mutex_);
  const Slot* slot = slot_of(name);
  if (slot == nullptr || state_ == State::kLoading) return Presence::kUnknown;
  if (slot->model && waiting_.empty()) {
    model = slot->model;
    return Presence::kHere;
  }
  if (static_cast<int64_t>(waiting_.size()) >= limits_.max_queue + slot->source.max_sequences) return Presence::kQueueFull;
  waiting_.push_back({const_cast<Slot*>(slot), std::move(then)});
  changed_.notify_all();
  return Presence::kComing;
}

void EngineThread::set_keep_alive(const std::string& name, double seconds) {
  const std::lock_guard lock(mutex_);
  if (const Slot* slot = slot_of(name)) const_cast<Slot*>(slot)->keep_alive_s = seconds;
  changed_.notify_all();
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
  slot.last_used = Clock::now();
  commands_.push_back({Command::Kind::kStart, std::move(job)});
  changed_.notify_all();
  return Admission::kAccepted;
}

void EngineThread::push(Command command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  changed_.notify_all();
}

void EngineThread::cancel(std::shared_ptr<Job> job) { push({Command::Kind::kCancel, std::move(job)}); }

void EngineThread::set_paused(std::shared_ptr<Job> job, bool is_paused) {
  push({is_paused ? Command::Kind::kPause : Command::Kind::kResume, std::move(job)});
}

Admission EngineThread::run_between_steps(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return Admission::kStopping;
  if (commands_.size() >= kMaxCommands) return Admission::kQueueFull;
  commands_.push_back({Command::Kind::kTask, nullptr, std::move(task)});
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
  const Status status = load_first();
  {
    const std::lock_guard lock(mutex_);
    state_ = status.ok() ? State::kReady : State::kFailed;
    load_status_ = status;
    changed_.notify_all();
  }
  if (status.ok()) serve();
}

Status EngineThread::load_first() {
  for (Slot& slot : slots_) {
    ATELIER_RETURN_IF_ERROR(load(slot));
    if (limits_.memory_bytes > 0) break;
  }
  return {};
}

Status EngineThread::load(Slot& slot) {
  const auto create = [&]() -> Result<std::unique_ptr<ServedModel>> {
    try {
      ATELIER_TRY(LoadedModel loaded, slot.source.load());
      return ServedModel::create(slot.source.name, std::move(loaded));
    } catch (const std::exception& error) {
      return Status::out_of_range(fmt::format("model: {}, it could not be loaded; use a smaller one or a smaller --context", error.what()));
    }
  };
  Result<std::unique_ptr<ServedModel>> served = create();
  const std::lock_guard lock(mutex_);
  slot.load_failure = served.ok() ? Status() : served.status();
  if (!served.ok()) return served.status();
  slot.model = std::move(*served);
  slot.failure = {};
  slot.last_used = Clock::now();
  return {};
}

bool EngineThread::has_work(const Slot& slot) const {
  return slot.model && slot.failure.ok() && slot.model->has_engine() && slot.model->engine().has_work();
}

// Under the mutex: nobody else can get hold of the model meanwhile.
bool EngineThread::is_idle(const Slot& slot) const { return slot.model && slot.num_active == 0 && slot.model.use_count() == 1; }

std::optional<EngineThread::Clock::time_point> EngineThread::expiry(const Slot& slot) const {
  if (!slot.model || slot.keep_alive_s < 0) return std::nullopt;
  return slot.last_used + duration_of(slot.keep_alive_s);
}

// When there may be something to do that nobody will tell of.
std::optional<EngineThread::Clock::time_point> EngineThread::next_wake() const {
  const auto soon = Clock::now() + kPatience;
  std::optional<Clock::time_point> wake;
  if (!waiting_.empty()) wake = soon;
  for (const Slot& slot : slots_) {
    if (const auto end = expiry(slot); end && (!wake || *end < *wake)) wake = std::max(*end, soon);
  }
  return wake;
}

void EngineThread::serve() {
  const auto is_busy = [&](const Slot& slot) { return has_work(slot); };
  while (true) {
    bool is_stopping = false;
    {
      std::unique_lock lock(mutex_);
      if (!is_stopping_ && commands_.empty() && std::none_of(slots_.begin(), slots_.end(), is_busy)) {
        const auto wake = next_wake();
        wake ? static_cast<void>(changed_.wait_until(lock, *wake)) : changed_.wait(lock);
      }
      is_stopping = is_stopping_;
    }
    take_commands();
    unload_expired();
    if (!is_stopping) serve_waiting();
    for (Slot& slot : slots_) {
      if (is_stopping) {
        for (const auto& job : std::vector(slot.running)) cancel_now(*job);
      }
      if (has_work(slot)) step(slot);
    }
    if (is_stopping && std::none_of(slots_.begin(), slots_.end(), is_busy)) return;
  }
}

void EngineThread::take_commands() {
  std::deque<Command> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (const Command& command : commands) {
    switch (command.kind) {
      case Command::Kind::kStart:
        start(command.job);
        break;
      case Command::Kind::kCancel:
        cancel_now(*command.job);
        break;
      case Command::Kind::kPause:
        for (const auto id : command.job->ids) command.job->model.engine().pause(id);
        break;
      case Command::Kind::kResume:
        for (const auto id : command.job->ids) command.job->model.engine().resume(id);
        break;
      case Command::Kind::kTask:
        command.task();
        break;
    }
  }
}

void EngineThread::serve_waiting() {
  while (true) {
    Slot* slot = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;
      slot = waiting_.front().slot;
    }
    if (!slot->model) {
      if (!make_room(*slot)) return;
      if (const Status status = load(*slot); !status.ok())
        log(LogLevel::kError, fmt::format("{}: {}", slot->source.name, status.message()));
    }
    std::function<void()> then;
    {
      const std::lock_guard lock(mutex_);
      then = std::move(waiting_.front().then);
      waiting_.pop_front();
      slot->last_used = Clock::now();
    }
    then();
  }
}

bool EngineThread::make_room(const Slot& wanted) {
  while (limits_.memory_bytes > 0) {
    Slot* victim = nullptr;
    {
      const std::lock_guard lock(mutex_);
      int64_t used = wanted.source.bytes;
      for (Slot& slot : slots_) {
        if (slot.model) used += slot.source.bytes;
        if (is_idle(slot) && (victim == nullptr || slot.last_used < victim->last_used)) victim = &slot;
      }
      if (used <= limits_.memory_bytes) return true;
    }
    if (victim == nullptr) return false;
    unload(*victim);
  }
  return true;
}

void EngineThread::unload_expired() {
  for (Slot& slot : slots_) {
    {
      const std::lock_guard lock(mutex_);
      const auto end = expiry(slot);
      if (!end || Clock::now() < *end || !is_idle(slot)) continue;
    }
    unload(slot);
  }
}

// Only of this thread. Somebody may have got hold of the model since it was idle: then it stays.
void EngineThread::unload(Slot& slot) {
  std::shared_ptr<ServedModel> model;
  {
    const std::lock_guard lock(mutex_);
    if (!is_idle(slot)) return;
    model = std::exchange(slot.model, nullptr);
  }
  log(LogLevel::kDebug, fmt::format("{}: unloaded", slot.source.name));
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
    slot.last_used = Clock::now();
  }
  on_finish(generation);
  if (std::any_of(job.on_finish.begin(), job.on_finish.end(), [](const Job::OnFinish& left) { return static_cast<bool>(left); })) return;
  std::erase_if(slot.running, [&](const auto& running) { return running.get() == &job; });
}

void EngineThread::step(Slot& slot) {
  const auto begin = Clock::now();
  try {
    slot.failure = slot.model->engine().step();
  } catch (const std::exception& error) {
    slot.failure = {StatusCode::kIo, fmt::format("internal: {}, this should not happen; please report it", error.what())};
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
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
