#include "src/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

namespace galago {
namespace {

using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "galago_base_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~FileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  size_t NumFiles() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory_), {}));
  }
  std::filesystem::path directory_;
};

TEST_F(FileTest, WhatIsWrittenIsRead) {
  const std::string contents("a\0b\n", 4);
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", contents).ok());
  EXPECT_EQ(*ReadFile(directory_ / "f", 100), contents);
  EXPECT_EQ(NumFiles(), 1u);
}

TEST_F(FileTest, PiecesAreJoined) {
  const std::vector<std::string_view> pieces = {"one", "", "two"};
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", pieces).ok());
  EXPECT_EQ(*ReadFile(directory_ / "f", 100), "onetwo");
}

TEST_F(FileTest, WritingReplaces) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "a long first version").ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "short").ok());
  EXPECT_EQ(*ReadFile(directory_ / "f", 100), "short");
}

TEST_F(FileTest, FailedRenameLeavesNothingBehind) {
  std::filesystem::create_directory(directory_ / "taken");
  ASSERT_TRUE(WriteFileAtomically(directory_ / "taken" / "x", "").ok());  // a directory that is not empty
  EXPECT_FALSE(WriteFileAtomically(directory_ / "taken", "contents").ok());
  EXPECT_EQ(NumFiles(), 1u);
}

TEST_F(FileTest, WritingKeepsDevicesLinksAndPermissions) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "old").ok());
  std::filesystem::permissions(directory_ / "f",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::create_symlink(directory_ / "f", directory_ / "link");
  ASSERT_TRUE(WriteFileAtomically(directory_ / "link", "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(directory_ / "link"));
  EXPECT_EQ(*ReadFile(directory_ / "f", 100), "new");
  EXPECT_EQ(std::filesystem::status(directory_ / "f").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  EXPECT_EQ(WriteFileAtomically("/dev/full", "x").code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(FileTest, LimitIsInclusive) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "12345").ok());
  EXPECT_TRUE(ReadFile(directory_ / "f", 5).ok());
  const Status status = ReadFile(directory_ / "f", 4).status();
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(MessageOf(status), HasSubstr("limit of 4 bytes"));
}

TEST_F(FileTest, MissingFilesAndDirectoriesAreNotFound) {
  EXPECT_EQ(ReadFile(directory_ / "none", 10).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReadFile(directory_ / "none" / "deeper", 10).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReadFile(directory_, 10).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(MappedFile::Open(directory_ / "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(MappedFile::Open(directory_).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(MappedFile::Open(directory_ / "none").status()), HasSubstr("none"));
}

TEST_F(FileTest, PipesAndDevicesAreRefusedWithoutWaiting) {
  const std::filesystem::path pipe = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::filesystem::path& path : {pipe, std::filesystem::path("/dev/zero")}) {
    for (const Status& status :
         {ReadFile(path, 10).status(), ReadFileHead(path, 10).status(), MappedFile::Open(path).status()}) {
      EXPECT_EQ(status.code(), StatusCode::kNotFound);
      EXPECT_THAT(MessageOf(status), HasSubstr(path.string() + ": is a pipe or device"));
    }
  }
}

TEST_F(FileTest, HeadIsWhatIsThereUpToTheLength) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "12345").ok());
  EXPECT_EQ(*ReadFileHead(directory_ / "f", 3), "123");
  EXPECT_EQ(*ReadFileHead(directory_ / "f", 9), "12345");
}

TEST_F(FileTest, MappingShowsTheBytesEvenAfterReplacement) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "first").ok());
  const auto file = MappedFile::Open(directory_ / "f");
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "other").ok());
  (*file)->Prefetch();
  ASSERT_EQ((*file)->bytes().size(), 5u);
  EXPECT_EQ(std::memcmp((*file)->bytes().data(), "first", 5), 0);
}

TEST_F(FileTest, ScratchStaysWhereItIsAndLeavesNothing) {
  std::vector<std::byte> large(70000, std::byte{7});
  large.back() = std::byte{9};
  {
    const auto scratch = ScratchFile::Create(directory_);
    ASSERT_TRUE(scratch.ok()) << scratch.status();
    const std::vector<std::byte> small(3, std::byte{1});
    const auto first = (*scratch)->Append(small);
    const auto second = (*scratch)->Append(large);
    const auto third = (*scratch)->Append(small);
    ASSERT_TRUE(first.ok() && second.ok() && third.ok());
    EXPECT_TRUE(std::ranges::equal(*first, small));
    EXPECT_TRUE(std::ranges::equal(*second, large));
    EXPECT_TRUE(std::ranges::equal(*third, small));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(second->data()) % static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE)), 0u);
    EXPECT_TRUE((*scratch)->Append({})->empty());

    // No room for more: what is there stays, and smaller things may still fit.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    const rlimit little = {100'000, old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
    const auto refused = (*scratch)->Append(large);
    const auto fourth = (*scratch)->Append(small);
    ::setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(MessageOf(refused.status()),
                HasSubstr(directory_.string() + ": cannot hold 70000 bytes more of scratch"));
    ASSERT_TRUE(fourth.ok()) << fourth.status();
    EXPECT_TRUE(std::ranges::equal(*fourth, small));
    EXPECT_TRUE(std::ranges::equal(*second, large));
    EXPECT_TRUE(std::filesystem::is_empty(directory_));
  }
  const auto nowhere = ScratchFile::Create(directory_ / "none");
  EXPECT_EQ(nowhere.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(nowhere.status()), HasSubstr((directory_ / "none").string() + ": cannot hold a scratch file"));
}

TEST_F(FileTest, EmptyFileMapsToNothing) {
  ASSERT_TRUE(WriteFileAtomically(directory_ / "f", "").ok());
  const auto file = MappedFile::Open(directory_ / "f");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->bytes().empty());
  (*file)->Prefetch();
}

}  // namespace
}  // namespace galago
