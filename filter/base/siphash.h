/*
 * siphash.h - SipHash-2-4 (Aumasson and Bernstein 2012): a hash of strangers'
 * bytes, with a key that they do not know.
 */
#ifndef SIPHASH_H
#define SIPHASH_H

#include <stdint.h>

#include "span.h"

uint64_t siphash(const uint64_t key[2], struct span s);

#endif
