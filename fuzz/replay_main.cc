// Drives one fuzz target without libFuzzer: PROGRAM --seconds N CORPUS_DIR runs the target on the empty input and on
// every seed, then on mutations of the seeds for N seconds. The mutations are the same in every run; only how many of
// them fit into the time differs. A finding ends the program, as under libFuzzer.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "src/base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxInput = size_t{1} << 20;

// xorshift64* (Vigna 2016): one word of state, the same numbers everywhere.
class Random {
 public:
  uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dull;
  }
  size_t Below(size_t limit) { return limit == 0 ? 0 : static_cast<size_t>((Next() >> 16) % limit); }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15ull;
};

// A heap block of exactly the input's size, so that the address sanitizer sees the first byte read beyond it.
void Run(const std::string& input) {
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void FlipBits(std::string& input, Random& random) {
  for (size_t n = 1 + random.Below(4); n > 0; --n) {
    char& byte = input[random.Below(input.size())];
    byte = static_cast<char>(byte ^ (1 << random.Below(8)));
  }
}

// Overwrites 1, 2, 4 or 8 bytes with a number at the edge of its range: what length fields break on.
void WriteNumber(std::string& input, Random& random) {
  constexpr uint64_t kEdges[] = {0,
                                 1,
                                 0x7f,
                                 0x80,
                                 0xff,
                                 0x7fff,
                                 0xffff,
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 0x7fffffffffffffff,
                                 0x8000000000000000,
                                 0xffffffffffffffff};
  const uint64_t value = kEdges[random.Below(std::size(kEdges))] + random.Below(3) - 1;
  const size_t width = std::min(size_t{1} << random.Below(4), input.size());
  std::memcpy(input.data() + random.Below(input.size() - width + 1), &value, width);
}

void InsertBytes(std::string& input, Random& random) {
  std::string piece;
  for (size_t n = 1 + random.Below(8); n > 0; --n) piece += static_cast<char>(random.Next() >> 40);
  input.insert(random.Below(input.size() + 1), piece);
}

void DuplicatePiece(std::string& input, Random& random) {
  const size_t from = random.Below(input.size());
  const std::string piece = input.substr(from, 1 + random.Below(std::min<size_t>(input.size() - from, 256)));
  input.insert(random.Below(input.size() + 1), piece);
}

void ErasePiece(std::string& input, Random& random) {
  const size_t from = random.Below(input.size());
  input.erase(from, 1 + random.Below(std::min<size_t>(input.size() - from, 64)));
}

// The beginning of one seed and the end of another.
void Splice(std::string& input, const std::string& other, Random& random) {
  input.resize(random.Below(input.size() + 1));
  input += other.substr(random.Below(other.size() + 1));
}

std::string Mutated(const std::vector<std::string>& seeds, Random& random) {
  std::string input = seeds[random.Below(seeds.size())];
  for (size_t n = 1 + random.Below(3); n > 0; --n) {
    if (input.empty()) {
      InsertBytes(input, random);
      continue;
    }
    switch (random.Below(7)) {
      case 0:
        FlipBits(input, random);
        break;
      case 1:
        WriteNumber(input, random);
        break;
      case 2:
        InsertBytes(input, random);
        break;
      case 3:
        DuplicatePiece(input, random);
        break;
      case 4:
        ErasePiece(input, random);
        break;
      case 5:
        input.resize(random.Below(input.size()));
        break;
      case 6:
        Splice(input, seeds[random.Below(seeds.size())], random);
        break;
    }
  }
  input.resize(std::min(input.size(), kMaxInput));
  return input;
}

int Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  double seconds = 0.0;
  if (arguments.size() != 3 || arguments[0] != "--seconds" ||
      std::from_chars(arguments[1].begin(), arguments[1].end(), seconds).ptr != arguments[1].end()) {
    return Fail("usage: PROGRAM --seconds N CORPUS_DIR");
  }
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[2], error)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (error) return Fail(std::string(arguments[2]) + ": " + error.message());
  if (files.empty()) return Fail(std::string(arguments[2]) + ": holds no seeds");
  std::sort(files.begin(), files.end());  // the order of a directory differs between machines

  std::vector<std::string> seeds;
  for (const auto& file : files) {
    galago::StatusOr<std::string> seed = galago::ReadFile(file, kMaxInput);
    if (!seed.ok()) return Fail(galago::MessageOf(seed.status()));
    seeds.push_back(*std::move(seed));
  }
  Run("");
  for (const std::string& seed : seeds) Run(seed);
  Random random;
  uint64_t mutations = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (; std::chrono::steady_clock::now() < end; ++mutations) Run(Mutated(seeds, random));
  std::printf("%zu seeds and %llu mutations run\n", seeds.size(), static_cast<unsigned long long>(mutations));
  return 0;
}
