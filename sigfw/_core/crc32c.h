/* CRC-32C (Castagnoli, RFC 3385): by the processor's own instruction where it has one, else eight octets at a time. */

#ifndef SIGFW_CRC32C_H
#define SIGFW_CRC32C_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CRC32C_POLYNOMIAL 0x82F63B78u /* bits reversed */

static uint32_t crc32c_table[8][256];

static void crc32c_fill(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ CRC32C_POLYNOMIAL : c >> 1;
        crc32c_table[0][n] = c;
    }
    for (uint32_t n = 0; n < 256; n++)
        for (int k = 1; k < 8; k++)
            crc32c_table[k][n] = crc32c_table[k - 1][n] >> 8 ^ crc32c_table[0][crc32c_table[k - 1][n] & 255];
}

static uint32_t crc32c_by_table(const uint8_t *p, size_t n)
{
    uint32_t c = 0xFFFFFFFFu;
    uint64_t word;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8); /* little-endian machines alone (verdicts.pyx) */
        word ^= c;
        c = 0;
        for (int k = 0; k < 8; k++)
            c ^= crc32c_table[7 - k][word >> 8 * k & 255];
    }
    for (; n; p++, n--)
        c = c >> 8 ^ crc32c_table[0][(c ^ *p) & 255];
    return ~c;
}

#if defined(__x86_64__) && defined(__GNUC__)

static int crc32c_here(void) { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) static uint32_t crc32c_by_instruction(const uint8_t *p, size_t n)
{
    uint64_t c = 0xFFFFFFFFu, word;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    for (; n; p++, n--)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return ~(uint32_t)c;
}

#else

static int crc32c_here(void) { return 0; }
static uint32_t crc32c_by_instruction(const uint8_t *p, size_t n) { return crc32c_by_table(p, n); }

#endif
#endif
