#include "src/base/html.h"

#include <gtest/gtest.h>

namespace galago {
namespace {

TEST(HtmlTest, NothingOfTheTextIsMarkup) {
  EXPECT_EQ(EscapeHtml("<a href=\"b\" id='c'>d & e</a>"),
            "&lt;a href=&quot;b&quot; id=&#39;c&#39;&gt;d &amp; e&lt;/a&gt;");
  EXPECT_EQ(EscapeHtml("two\n\tlines, \u00e9"), "two\n\tlines, \u00e9");
}

TEST(HtmlTest, BytesThatHtmlForbidsAreReplaced) { EXPECT_EQ(EscapeHtml("a\x01\xff"), "a\ufffd\ufffd"); }

}  // namespace
}  // namespace galago
