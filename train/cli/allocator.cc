// How jemalloc is to behave; it reads this name before main. A step frees what the next one takes again, so memory
// stays for three minutes, in huge pages. Blocks above 8 MiB are no exception (by default they go back at once, and a
// sixth of the processor then clears new pages). Longer does not pay: what is kept is not merged, and for steps of ever
// new shapes the process grows, without end if nothing is ever given back.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "oversize_threshold:0,dirty_decay_ms:180000,muzzy_decay_ms:180000,thp:always";
}
