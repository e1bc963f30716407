// How jemalloc is to behave; it reads this name before main. Freed memory stays a minute for the next step, in huge
// pages.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:60000,muzzy_decay_ms:60000,thp:always";
}
