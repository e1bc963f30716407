#include "src/base/utf8.h"

namespace galago {
namespace {

struct Lead {
  size_t length;             // of the whole character; 0: not a lead byte
  unsigned char second_low;  // bounds of the second byte (Unicode table 3-7)
  unsigned char second_high;
};

Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xc2 && byte <= 0xdf) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

// Bytes at the front that could still become one character: all of it if complete, at least 1 for non-empty text.
size_t MaximalSubpart(std::string_view text) {
  const Lead lead = LeadOf(static_cast<unsigned char>(text.front()));
  if (lead.length <= 1) return 1;
  size_t n = 1;
  while (n < lead.length && n < text.size()) {
    const auto byte = static_cast<unsigned char>(text[n]);
    const unsigned char low = n == 1 ? lead.second_low : 0x80;
    const unsigned char high = n == 1 ? lead.second_high : 0xbf;
    if (byte < low || byte > high) break;
    ++n;
  }
  return n;
}

}  // namespace

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const size_t want = LeadOf(static_cast<unsigned char>(text.front())).length;
  return want != 0 && MaximalSubpart(text) == want ? want : 0;
}

char32_t Utf8Decode(std::string_view text) {
  const size_t length = Utf8Length(text);
  const auto first = static_cast<unsigned char>(text.front());
  if (length <= 1) return first;
  char32_t code_point = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) code_point = (code_point << 6) | (static_cast<unsigned char>(text[i]) & 0x3f);
  return code_point;
}

void Utf8Append(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

size_t Utf8CompletePrefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const size_t subpart = MaximalSubpart(rest);
    const size_t want = LeadOf(static_cast<unsigned char>(rest.front())).length;
    if (subpart == rest.size() && subpart < want) return at;  // the next bytes may complete it
    at += subpart;
  }
  return at;
}

std::string Utf8Sanitize(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const size_t step = length != 0 ? length : MaximalSubpart(text);
    if (length != 0) {
      out += text.substr(0, length);
    } else {
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(step);
  }
  return out;
}

}  // namespace galago
