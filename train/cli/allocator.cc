// How jemalloc is to behave; it reads this name before main. A step frees what the next one takes again, so memory is
// kept, in huge pages, until the training loop gives it back (ReturnFreeMemory). Blocks above 8 MiB are no exception:
// by default they go back at once, others after seconds, and a sixth of the processor then clears new pages.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1,thp:always";
}
