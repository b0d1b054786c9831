// runs/NAME/{config.yaml, log.jsonl, events.out.tfevents.*, checkpoints/, model/, adapter/, report.html}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "atelier/base/json.h"
#include "atelier/base/status.h"
#include "atelier/io/file_lock.h"
#include "atelier/io/line_file.h"
#include "atelier/train/event_file.h"
#include "atelier/train/recipe.h"

namespace atelier::train {

class RunFolder {
 public:
  // A new folder, or with `resumes` the one that is there; its config.yaml must be this recipe's, but for training.steps. InvalidArgument
  // for a run that exists and is not resumed.
  static Result<RunFolder> open(const Recipe& recipe, bool resumes);

  const std::string& path() const { return path_; }
  std::string checkpoints() const;
  std::string model() const;
  std::string adapter() const;  // of a run with LoRA
  bool is_resumed() const { return is_resumed_; }

  // Takes a new run away that could not begin, so that its name is free again; the folder too, if it was made for it.
  void discard();

  // Opens the log, without lines of steps after `step`: those will come again. Of a run that has done no step nothing is kept.
  Status start_log(int64_t step);
  // A line of log.jsonl; its numbers become scalars of the event file.
  Status log(const Json& line);
  Result<std::vector<Json>> read_log() const;
  Status write_report(const Recipe& recipe) const;

 private:
  RunFolder(std::string path, bool is_resumed, bool was_there, io::FileLock lock)
      : path_(std::move(path)), is_resumed_(is_resumed), was_there_(was_there), lock_(std::move(lock)) {}
  std::string log_path() const;
  std::string path_;
  bool is_resumed_, was_there_;
  io::FileLock lock_;  // one process at a time writes here
  std::optional<io::LineFile> log_;
  std::optional<EventFile> events_;
};

}  // namespace atelier::train
