// One thread team for all models of a process: two pools on two cores would fight for them.
#include <gtest/gtest.h>

#include <filesystem>

#include "atelier/models/model.h"
#include "atelier/parallel/parallel.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_llama.h"

namespace atelier::models {
namespace {

int64_t count_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST(OneTeamTest, ASecondModelBringsNoThreads) {
  const atelier::testing::TemporaryFolder folder;
  const std::string path = folder.path() + "/model.gguf";
  atelier::testing::write_tiny_llama(path, DType::kQ8_0);
  const int before = num_threads();
  set_num_threads(3);
  const auto run = [&] {
    auto model = load_model(path, {}).value();
    nn::KvCache cache = model->new_cache().value();
    const std::vector<int32_t> ids(64, 1);
    EXPECT_TRUE(model->forward(ids, cache).ok());
    return model;
  };
  const auto first = run();
  const int64_t with_one = count_threads();
  const auto second = run();
  EXPECT_EQ(count_threads(), with_one);
  set_num_threads(before);
}

}  // namespace
}  // namespace atelier::models
