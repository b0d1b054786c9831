#include "atelier/cli/conversation.h"

#include <gtest/gtest.h>

#include "atelier/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::cli {
namespace {

TEST(Conversation, the_system_message_stands_first_is_replaced_and_survives_a_reset) {
  Conversation conversation;
  conversation.add("user", "Hi");
  conversation.set_system("Be brief.");
  conversation.set_system("Be kind.");
  ASSERT_EQ(conversation.size(), 2u);
  EXPECT_EQ(conversation.messages().as_array()[0].find("content")->as_string(), "Be kind.");
  conversation.clear();
  EXPECT_EQ(conversation.size(), 1u);
  conversation.set_system("");
  EXPECT_EQ(conversation.size(), 0u);
}

TEST(Conversation, comes_back_from_its_file_with_thoughts) {
  testing::TemporaryFolder folder;
  Conversation conversation;
  conversation.add("user", "1 + 1?");
  conversation.add("assistant", "2", "easy");
  ASSERT_TRUE(conversation.save(folder / "chat.json").ok());
  EXPECT_EQ(Conversation::load(folder / "chat.json")->messages(), conversation.messages());
}

TEST(Conversation, files_that_are_none_are_refused) {
  testing::TemporaryFolder folder;
  const std::string path = folder / "chat.json";
  for (const char* text :
       {"", "[]", "{}", R"({"messages":[{"role":"user"}]})", R"({"messages":[{"role":"root","content":"x"}]})", R"({"messages":[3]})"}) {
    ASSERT_TRUE(io::write_file(path, text).ok());
    EXPECT_FALSE(Conversation::load(path).ok()) << text;
  }
  EXPECT_FALSE(Conversation::load(folder / "absent.json").ok());
}

}  // namespace
}  // namespace atelier::cli
