/* SPDX-License-Identifier: BSD-2-Clause */
/* What files say of their link layer, and what libpcap makes of it. Private to capture/. */
#ifndef CAPTURE_LINKTYPE_H
#define CAPTURE_LINKTYPE_H

#include <stdint.h>

/* linktype_dlt turns a LINKTYPE_ value of a file into the DLT_ value of struct packet. */
int linktype_dlt(uint32_t linktype);

#endif
