/*
 * writer FILE NAME: appends numbered records of 4096 bytes with a checksum, each written through before the next one,
 * and prints "wrote NAME N" a few times a second: records 0 to N are on the disk by then. On an error it says so and tries
 * the same record again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 4096 };

static uint32_t crc32(const uint8_t *bytes, size_t length) {
  uint32_t crc = ~0u;
  while (length--) {
    crc ^= *bytes++;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
  }
  return ~crc;
}

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  if (count != 3) return 2;
  int file = open(words[1], O_RDWR | O_CREAT, 0644);
  if (file < 0) return perror(words[1]), 1;
  uint64_t number = lseek(file, 0, SEEK_END) / RECORD;
  double told = 0;
  for (;;) {
    uint8_t record[RECORD];
    memset(record, number & 255, RECORD);
    memcpy(record, "RECORD!!", 8);
    memcpy(record + 8, &number, 8);
    uint32_t crc = crc32(record, RECORD - 4);
    memcpy(record + RECORD - 4, &crc, 4);
    if (pwrite(file, record, RECORD, number * RECORD) != RECORD || fdatasync(file) != 0) {
      printf("failed %s %llu %s\n", words[2], (unsigned long long)number, strerror(errno));
      fflush(stdout);
      sleep(1);
      continue;
    }
    if (seconds() - told > 0.2) {
      printf("wrote %s %llu\n", words[2], (unsigned long long)number);
      fflush(stdout);
      told = seconds();
    }
    number++;
    usleep(2000);
  }
}
