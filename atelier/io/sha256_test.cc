#include "atelier/io/sha256.h"

#include <gtest/gtest.h>

#include "atelier/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace atelier::io {
namespace {

std::string digest(const std::string& text) {
  Sha256 hash;
  hash.update(text.data(), text.size());
  return hash.hex_digest();
}

// The examples of FIPS 180-4 (NIST, SHA_All.pdf) and of the CAVP short-message set.
TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TheDigestDoesNotDependOnHowTheBytesArrive) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (size_t length = 0; length < text.size(); ++length) {  // every padding case
    const std::string part = text.substr(0, length);
    Sha256 bytewise;
    for (const char c : part) bytewise.update(&c, 1);
    EXPECT_EQ(bytewise.hex_digest(), digest(part)) << length;
  }
}

TEST(Sha256, HashesFiles) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "x", "abc").ok());
  EXPECT_EQ(sha256_of_file(folder / "x").value(), digest("abc"));
  EXPECT_EQ(sha256_of_file(folder / "none").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace atelier::io
