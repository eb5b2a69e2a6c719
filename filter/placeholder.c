/* so that the library is not empty while the first modules are written */
#include "session.h"
#include "message.h"
#include "try.h"
#include "current.h"
#include "address.h"
extern int filter_placeholder; int filter_placeholder = 1;
