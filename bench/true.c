/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest command there is: linked static, it measures the start and nothing else. */
int main(void)
{
	return 0;
}
