#ifndef GALAGO_TEXT_BYTE_LEVEL_H_
#define GALAGO_TEXT_BYTE_LEVEL_H_

#include <string>
#include <string_view>

// Byte-level BPE files spell every byte as one printable character (openai/gpt-2: src/encoder.py, bytes_to_unicode):
// printable Latin-1 stands for itself, the other 68 bytes are U+0100 + n in order. A space is U+0120.
namespace galago::text {

std::string BytesToSpelling(std::string_view bytes);

// The bytes a spelling stands for. Spellings with other characters are not byte-level: their UTF-8 comes back as it is.
std::string SpellingToBytes(std::string_view spelling);

}  // namespace galago::text

#endif  // GALAGO_TEXT_BYTE_LEVEL_H_
