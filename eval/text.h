#ifndef GALAGO_EVAL_TEXT_H_
#define GALAGO_EVAL_TEXT_H_

#include <string>
#include <string_view>

// Small operations on text that several scorers share.
namespace galago::eval {

// Capitals of ASCII and Latin-1 made small; everything else stays.
std::string Lower(std::string_view text);

// White space at both ends dropped, runs of it within replaced by one space.
std::string CollapseSpaces(std::string_view text);

// Code points; bytes that are not UTF-8 become U+FFFD.
std::u32string CodePoints(std::string_view text);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_TEXT_H_
